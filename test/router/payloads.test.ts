/** Workers and clients with data converters that do not fit: nothing is sent where it could not be read. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { type RoutedWorkers, createWorkers } from '../../shim/router';
import { type TestSchema, afterTest, freshSchema, sql } from '../support/database';
import { keyedCodec } from '../support/keyed-codec';
import { BRANCHLINE } from '../support/server-process';
import { describeWithTemporal } from '../support/temporal';
import * as activities from './activities';
import { all, routed, type Routed } from './harness';

const workflowsPath = join(__dirname, 'workflows.ts');
const converter = (...keys: string[]): { payloadCodecs: PayloadCodec[] } => ({ payloadCodecs: [keyedCodec(...keys)] });

/** Runs until the answer is called, or the test ends. */
async function running(workers: RoutedWorkers): Promise<() => Promise<void>> {
  const run = workers.run();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    workers.shutdown();
    return (stopped ??= run);
  };
  afterTest(stop);
  await expect.poll(() => Object.values(workers.states)).not.toContain('INITIALIZED');
  return stop;
}

const refused = {
  cause: {
    code: 9,
    details: expect.stringMatching(/^BRANCHLINE_ROUTER_PAYLOAD_MISMATCH: .*engine 'postgres'/) as string,
  },
};
const parties = ({ schema }: TestSchema) =>
  sql<{ engine: string | null; unreadable: unknown[] }>(
    `SELECT engine, unreadable FROM ${schema}.payload_parties ORDER BY engine NULLS LAST`,
  );

describeWithTemporal('The check of payloads', (server) => {
  const onPostgres = (database: TestSchema, taskQueue: string, ...keys: string[]) =>
    createWorkers({
      postgres: { ...database },
      taskQueue,
      workflowsPath,
      activities,
      dataConverter: converter(...keys),
    });
  const onTemporal = async (database: TestSchema, taskQueue: string, ...keys: string[]) => {
    const home = await Connection.connect({ ...database });
    afterTest(() => home.close());
    return createWorkers({
      temporal: { address: server().address },
      home,
      taskQueue,
      workflowsPath,
      activities,
      dataConverter: converter(...keys),
    });
  };
  const execute = ({ connection, queue: taskQueue }: Routed, ...keys: string[]): Promise<unknown> =>
    new Client({ connection, dataConverter: converter(...keys) }).workflow.execute('chain', {
      workflowId: randomUUID(),
      taskQueue,
      args: [1],
    });

  it('keeps starts from an engine whose worker has another key than the client, until the worker has the right one', async () => {
    const database = freshSchema();
    const r = await routed(server().address, { routes: all('postgres'), dataConverter: converter('a') }, database);
    const stop = await running(await onPostgres(database, r.queue, 'b'));
    await expect
      .poll(() => parties(database), { timeout: 20_000 })
      .toMatchObject([
        { engine: 'postgres', unreadable: [{ why: expect.stringContaining("there is no key 'a'") as string }] },
        { engine: null, unreadable: [{ why: expect.stringContaining("there is no key 'b'") as string }] },
      ]);
    await r.connection.checkPayloads();
    await expect(execute(r, 'a')).rejects.toMatchObject(refused);
    expect(await sql(`SELECT id FROM ${database.schema}.routed_ids WHERE settled`)).toEqual([]);
    expect(r.logged).toContainEqual(
      expect.objectContaining({
        level: 'ERROR',
        meta: { code: 'BRANCHLINE_ROUTER_PAYLOAD_MISMATCH', engine: 'postgres', taskQueue: r.queue },
      }),
    );
    // Other task queues have nothing to do with it.
    const elsewhere = await r.client.workflow.start('any', { workflowId: randomUUID(), taskQueue: 'another' });
    await elsewhere.terminate();

    const route = (...args: string[]): string => {
      const flags = ['--db', database.url, '--schema', database.schema];
      try {
        return execFileSync(process.execPath, [BRANCHLINE, 'route', ...args, ...flags], { stdio: 'pipe' }).toString();
      } catch (error) {
        return (error as { stdout: Buffer }).stdout.toString();
      }
    };
    expect(route('list')).toMatch(
      new RegExp(`^! nothing is started on postgres for task queue ${r.queue}: .*there is no key`, 'm'),
    );
    const folder = mkdtempSync(join(tmpdir(), 'branchline-payloads-'));
    afterTest(() => Promise.resolve(rmSync(folder, { recursive: true })));
    const cases = join(folder, 'cases.json');
    route('set', '--default', 'postgres');
    writeFileSync(
      cases,
      JSON.stringify([{ start: { workflowType: 'chain', taskQueue: r.queue }, engine: 'postgres' }]),
    );
    expect(route('test', cases)).toMatch(/refused there: .*there is no key[^]*0 of 1 as expected/);

    await stop();
    // The next one reads both, as in the rotation of a key.
    await running(await onPostgres(database, r.queue, 'a', 'b'));
    await expect
      .poll(
        async () => {
          await r.connection.checkPayloads();
          return execute(r, 'a').catch((error: { cause: { details: string } }) => error.cause.details);
        },
        { timeout: 30_000 },
      )
      .toBe('end of chain');
    expect(route('test', cases)).toContain('1 of 1 as expected');
  });

  it('keeps starts from the engine that is not the default one when its workers differ, for clients that say nothing', async () => {
    const database = freshSchema();
    const r = await routed(
      server().address,
      { routes: { default: 'temporal', rules: [{ name: 'moves', workflowType: 'chain', engine: 'postgres' }] } },
      database,
    );
    await running(await onTemporal(database, r.queue, 'a'));
    await running(await onPostgres(database, r.queue, 'b'));
    await expect
      .poll(() => parties(database), { timeout: 20_000 })
      .toMatchObject([
        { engine: 'postgres', unreadable: [{}] },
        { engine: 'temporal', unreadable: [{}] },
      ]);
    await r.connection.checkPayloads();
    await expect(execute(r, 'a')).rejects.toMatchObject(refused);
    const stays = await new Client({ connection: r.connection, dataConverter: converter('a') }).workflow.start(
      'counter',
      {
        workflowId: randomUUID(),
        taskQueue: r.queue,
        args: [1],
      },
    );
    expect(await r.connection.engineOf('default', stays.workflowId)).toBe('temporal');
    await stays.signal('finish');
    expect(await stays.result()).toBe(1);
  });

  it('keeps no connection from being made when a codec hangs', async () => {
    const hangs = {
      encode: () => new Promise<never>(() => undefined),
      decode: () => Promise.reject(new Error('no key')),
    };
    const r = await routed(server().address, { routes: all('postgres'), dataConverter: { payloadCodecs: [hangs] } });
    const handle = await r.client.workflow.start('any', { workflowId: randomUUID(), taskQueue: r.queue });
    await handle.terminate();
    await r.connection.close();
  });

  it('lets everything pass between workers of one declaration, and leaves nothing behind', async () => {
    const database = freshSchema();
    const r = await routed(server().address, { routes: all('postgres'), dataConverter: converter('a') }, database);
    const workers = await createWorkers({
      temporal: { address: server().address },
      postgres: { ...database },
      taskQueue: r.queue,
      workflowsPath,
      activities,
      dataConverter: converter('a'),
    });
    await workers.runUntil(async () => {
      await expect.poll(() => parties(database), { timeout: 20_000 }).toHaveLength(3);
      await r.connection.checkPayloads();
      expect(await execute(r, 'a')).toBe('end of chain');
      expect((await parties(database)).flatMap(({ unreadable }) => unreadable)).toEqual([]);
    });
    await r.connection.close();
    expect(await parties(database)).toEqual([]);
  });
});
