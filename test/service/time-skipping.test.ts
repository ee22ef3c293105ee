/** The clock of a test environment, seen from the service: what it skips to, who may not join, how sleeps end. */
import { expect, test } from 'vitest';
import type { Service } from '../../shim/service/types';
import { openStore } from '../../shim/store/open';
import { freshSchema, sql } from '../support/database';
import { closeEvent, ctx, EventType, startWorkflow } from '../support/polling-worker';
import { testService } from '../support/service';

const HOUR_MS = 3_600_000;

const unlock = (service: Service): Promise<object> => service.call('unlockTimeSkipping', {}, ctx());

test('runs that are not in memory are not skipped over', async () => {
  const database = freshSchema();
  const service = await testService(database, { timeSkipping: true }, { timeSkipping: true, maxRuns: 1 });
  const ids = Array.from({ length: 30 }, (_, hours) => `${hours}`);
  for (const id of ids) {
    const workflowRunTimeout = { seconds: (Number(id) + 1) * 3600 };
    await startWorkflow(service, id, 'any', 'nobody', { workflowRunTimeout });
  }
  await unlock(service);
  for (const id of ids) {
    const { eventType } = await closeEvent(service, id);
    expect(eventType).toBe(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
  }
  const rows = await sql<{ workflow_id: string; late_ms: number }>(
    `SELECT workflow_id, extract(epoch FROM close_time - start_time)::float8 * 1000 - (workflow_id::int + 1) * ${HOUR_MS} AS late_ms
     FROM "${database.schema}".executions`,
  );
  expect(rows).toHaveLength(ids.length);
  // Each at its own time, before the next one's hour.
  for (const { late_ms } of rows) {
    expect(late_ms).toBeGreaterThanOrEqual(0);
    expect(late_ms).toBeLessThan(HOUR_MS);
  }
});

test('another process is refused, and leaves nothing that the environment waits for', async () => {
  const database = freshSchema();
  await testService(database, { timeSkipping: true, identity: 'the skipper' }, { timeSkipping: true });
  for (const timeSkipping of [false, true]) {
    await expect(openStore({ ...database, timeSkipping })).rejects.toThrow(
      expect.objectContaining({ code: 'BRANCHLINE_TIME_SKIPPED', message: expect.stringContaining('the skipper') }),
    );
  }
  expect(await sql(`SELECT identity FROM "${database.schema}".processes`)).toEqual([{ identity: 'the skipper' }]);
});

test('time is not skipped under the feet of a process that is there already', async () => {
  const database = freshSchema();
  await testService(database, { identity: 'a worker' });
  await expect(openStore({ ...database, timeSkipping: true })).rejects.toThrow(/a worker works in real time/);
});

test('a sleep ends with CANCELLED when its call is aborted or was aborted before', async () => {
  const service = await testService(freshSchema(), { timeSkipping: true }, { timeSkipping: true });
  const sleep = (signal: AbortSignal): Promise<object> =>
    service.call('sleep', { duration: { seconds: 3600 } }, { ...ctx(), signal });
  const stop = new AbortController();
  const slept = sleep(stop.signal);
  stop.abort();
  await expect(slept).rejects.toThrow(expect.objectContaining({ code: 1 }));
  await expect(sleep(AbortSignal.abort())).rejects.toThrow(expect.objectContaining({ code: 1 }));
});

test('a sleep ends with CANCELLED when the environment is closed', async () => {
  const service = await testService(freshSchema(), { timeSkipping: true }, { timeSkipping: true });
  const slept = service.call('sleep', { duration: { seconds: 3600 } }, ctx());
  const failed = expect(slept).rejects.toThrow(expect.objectContaining({ code: 1 }));
  await service.close();
  await failed;
});
