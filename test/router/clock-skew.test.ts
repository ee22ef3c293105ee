/** Processes whose clocks are minutes and hours off: windows go by Postgres's clock, patience by monotonic ones. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { sql } from '../support/database';
import { skewedDate } from '../support/skewed-date';
import { describeWithTemporal } from '../support/temporal';
import { all, routed } from './harness';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (ms: number): string => new Date(ms).toISOString();

describeWithTemporal('A process whose clock is wrong', (server) => {
  it.each([3 * HOUR, 5 * MINUTE, -5 * MINUTE, -3 * HOUR])(
    'by %i ms opens and closes windows by Postgres',
    async (off) => {
      const trueNow = Date.now();
      skewedDate(off);
      const window = (from: number, until: number) => ({ from: at(trueNow + from), until: at(trueNow + until) });
      const {
        client,
        connection,
        queue: taskQueue,
      } = await routed(server().address, {
        routes: {
          rules: [
            // Open by the wrong clock only.
            { name: 'theirs', engine: 'temporal', ...window(off - MINUTE, off + 2 * MINUTE) },
            { name: 'ours', engine: 'postgres', ...window(-MINUTE, 2 * MINUTE) },
          ],
        },
      });
      const workflowId = randomUUID();
      const handle = await client.workflow.start('any', { workflowId, taskQueue });
      expect(await connection.engineOf('default', workflowId)).toBe('postgres');
      await handle.signal('hello');
      await handle.terminate();
    },
  );

  it.each([3 * HOUR, -3 * HOUR])(
    'by %i ms leaves a start of another process alone for the time of grace',
    async (off) => {
      const honest = await routed(server().address, { routes: all('temporal') });
      const { schema } = honest.database;
      const begin = (id: string, age: string) =>
        sql(
          `INSERT INTO ${schema}.routed_ids (namespace, kind, id, engine, starting, changed_at)
         VALUES ('default', 'workflow', $1, 'temporal', ARRAY['${randomUUID()}/1'], clock_timestamp() - $2::interval)`,
          [id, age],
        );
      await begin('just begun', '1 second');
      await begin('abandoned', '2 minutes');
      skewedDate(off);
      const wrong = await routed(server().address, { routes: all('postgres') }, honest.database);
      await wrong.connection.reconcile();
      expect(await sql(`SELECT id FROM ${schema}.routed_ids`)).toEqual([{ id: 'just begun' }]);
      // Nor does it take the id away.
      await wrong.client.workflow.start('any', { workflowId: 'just begun', taskQueue: wrong.queue });
      expect(await wrong.connection.engineOf('default', 'just begun')).toBe('temporal');
      await wrong.client.workflow.getHandle('just begun').terminate();
    },
  );

  it('that is set back and forth while it works starts, moves and finds ids as before', async () => {
    const set = skewedDate(0);
    const first = await routed(server().address, { routes: all('temporal') });
    const second = await routed(server().address, { routes: all('postgres') }, first.database);
    const workflowId = randomUUID();
    const { queue: taskQueue } = first;
    for (const [off, { client }, engine] of [
      [2 * HOUR, first, 'temporal'],
      [-HOUR, second, 'postgres'],
      [HOUR, first, 'temporal'],
    ] as const) {
      set(off);
      const handle = await client.workflow.start('any', { workflowId, taskQueue });
      expect(await second.connection.engineOf('default', workflowId)).toBe(engine);
      await handle.terminate();
    }
  });
});
