import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dumpedVersion, dumpSchema, schemaFile } from '../../scripts/dump-schema';
import { type Payload, Status } from '../../shim/service/engine/types';
import { closeCommit, executionRow, nextCommit, payload, runState, startCommit } from '../support/commits';
import { afterTest, connect, freshSchema, sql, testStore } from '../support/database';

describe('migrations/schema.sql', () => {
  it('is what the migrations make (else: npx tsx scripts/dump-schema.ts)', async (context) => {
    const database = freshSchema();
    await testStore({}, database);
    const client = await connect();
    afterTest(() => client.end());
    const { rows } = await client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    const version = Math.floor(rows[0]!.version / 10_000);
    context.skip(version !== dumpedVersion, `The dump is of Postgres ${dumpedVersion}, this is ${version}`);
    expect(await dumpSchema(client, database.schema)).toBe(readFileSync(schemaFile, 'utf8'));
  });
});

describe('the views', () => {
  it('show a run, its history and what it waits for, with payloads decoded', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const start = startCommit('billing-7');
    start.execution = executionRow('billing-7', start.runId, { memo: { note: payload({ a: [1, 'é'] }) } });
    await store.commit([start]);
    const state = runState('billing-7', start.runId, 3);
    state.timers = { 'trial-end': { timerId: 'trial-end', startedEventId: 2, fireAtMs: 1795227144964 } };
    const activity = {
      scheduledEventId: 5,
      activityId: '1',
      activityType: 'charge',
      taskQueue: 'queue',
      attempt: 2,
      startedAtMs: 5,
    };
    state.activities = { 5: { ...activity, lastFailure: { message: 'card\u0000declined' } } as never };
    await store.heartbeat(start.runId, 5, 2, { payloads: [payload('half')] });
    await store.commit([nextCommit(start, 1, { state })]);

    const { schema } = database;
    expect(await sql(`SELECT * FROM ${schema}.workflows`)).toMatchObject([
      {
        namespace: 'default',
        workflow_id: 'billing-7',
        run_id: start.runId,
        status: 'Running',
        history_length: '2',
        memo: { note: { a: [1, 'é'] } },
      },
    ]);
    expect(
      await sql(`SELECT event_id, event_type, attributes FROM ${schema}.history_events ORDER BY event_id`),
    ).toMatchObject([
      {
        event_id: '1',
        event_type: 'WorkflowExecutionStarted',
        attributes: { input: { payloads: [{ hello: 'world' }] } },
      },
      {
        event_id: '2',
        event_type: 'WorkflowExecutionSignaled',
        attributes: { signalName: 'go', input: { payloads: [{ id: 2 }] } },
      },
    ]);
    expect(await sql(`SELECT * FROM ${schema}.pending_timers`)).toEqual([
      {
        namespace: 'default',
        workflow_id: 'billing-7',
        run_id: start.runId,
        timer_id: 'trial-end',
        fires_at: new Date(1795227144964),
      },
    ]);
    expect(
      await sql(
        `SELECT workflow_id, activity_type, state, attempt, heartbeat_details FROM ${schema}.pending_activities`,
      ),
    ).toEqual([
      {
        workflow_id: 'billing-7',
        activity_type: 'charge',
        state: 'Started',
        attempt: 2,
        heartbeat_details: { payloads: ['half'] },
      },
    ]);
  });

  it('show payloads that hold what jsonb cannot', async () => {
    const database = freshSchema();
    const store = await testStore({}, database);
    const values = ['a\u0000b', '\ud800', 'not json', ''];
    const memo: Record<string, Payload> = Object.fromEntries(values.map((value, i) => [`m${i}`, payload(value)]));
    memo.broken = { metadata: payload(0).metadata, data: new TextEncoder().encode('{not json') };
    memo.binary = { data: new Uint8Array([255, 0]) };
    const start = startCommit('w\ud83d\ude00');
    start.execution = executionRow('w\ud83d\ude00', start.runId, { memo });
    await store.commit([start]);
    expect(await store.loadExecution(1, start.runId)).toEqual(start.execution);
    const [row] = await sql<{ memo: Record<string, unknown> }>(`SELECT memo FROM ${database.schema}.workflows`);
    expect(row!.memo).toMatchObject({ m2: 'not json', m3: '', broken: '{not json', binary: { base64: '/wA=' } });
    expect(await sql(`SELECT attributes FROM ${database.schema}.history_events`)).toHaveLength(1);
  });
});

describe('list', () => {
  it('goes through all runs in pages: open ones first, then by newest close and newest start', async () => {
    const store = await testStore();
    const now = Math.floor(store.nowMs());
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) {
      const start = startCommit(`w-${i}`);
      const startMs = now - 1000 * (i % 4) - 0.123;
      start.execution = executionRow(`w-${i}`, start.runId, { startMs, workflowType: i % 2 === 0 ? 'even' : 'odd' });
      await store.commit([start]);
      if (i >= 5)
        await store.commit([closeCommit(start, 1, { closeMs: now - (i % 3) + 0.25, startMs, status: Status.Failed })]);
      ids.push(start.runId);
    }
    const { rows: all } = await store.list({ namespaceId: 1, condition: '', values: [] }, 100, null);
    expect(all).toHaveLength(12);
    const key = (row: (typeof all)[number]): [number, number] => [
      row.closeMs === 0 ? Infinity : row.closeMs,
      row.startMs,
    ];
    const sorted = [...all].sort((a, b) => {
      const [[closeA, startA], [closeB, startB]] = [key(a), key(b)];
      if (closeA !== closeB) return closeB > closeA ? 1 : -1;
      return startB - startA || (a.runId < b.runId ? -1 : 1);
    });
    expect(all.map(({ runId }) => runId)).toEqual(sorted.map(({ runId }) => runId));

    const paged: string[] = [];
    let after: Parameters<typeof store.list>[2] = null;
    do {
      const { rows, next } = await store.list({ namespaceId: 1, condition: '', values: [] }, 5, after);
      paged.push(...rows.map(({ runId }) => runId));
      after = next;
    } while (after !== null);
    expect(paged).toEqual(all.map(({ runId }) => runId));
    expect(new Set(paged)).toEqual(new Set(ids));

    const even = { namespaceId: 1, condition: 'e.workflow_type = $2', values: ['even'] };
    expect((await store.list(even, 100, null)).rows).toHaveLength(6);
    expect(await store.count(even)).toBe(6);
    const status = { sql: 'e.status', type: 'smallint', descending: false };
    expect(await store.countGroups({ namespaceId: 1, condition: '', values: [] }, [status], 10)).toEqual([
      { values: [String(Status.Running)], count: 5 },
      { values: [String(Status.Failed)], count: 7 },
    ]);
    expect(await store.count({ namespaceId: 9, condition: '', values: [] })).toBe(0);
  });
});

it('namespaces and search attributes are kept', async () => {
  const { namespaces } = await testStore();
  const row = {
    uuid: '01a1fb69-4e44-71f5-b59b-213cf4a60029',
    name: 'tenants',
    description: 'd',
    ownerEmail: '',
    retentionMs: 5,
    state: 1,
    data: { k: 'v' },
  };
  const created = await namespaces.create(row);
  expect(created).toMatchObject(row);
  expect(await namespaces.create(row)).toEqual(created);
  await expect(namespaces.create({ ...row, uuid: '01a1fb69-4e44-71f5-b59b-213cf4a6002a' })).rejects.toMatchObject({
    code: 'BRANCHLINE_NAMESPACE_EXISTS',
  });
  await namespaces.update({ ...created, retentionMs: 86_400_000, data: {} });
  expect((await namespaces.all()).at(-1)).toMatchObject({ name: 'tenants', retentionMs: 86_400_000, data: {} });
  await namespaces.addSearchAttributes(created.id, { Customer: 2, Amount: 3 });
  await namespaces.addSearchAttributes(created.id, { Amount: 4 });
  await namespaces.removeSearchAttributes(created.id, ['Customer', 'Nothing']);
  expect(await namespaces.searchAttributeTypes(created.id)).toEqual({ Amount: 4 });
});
