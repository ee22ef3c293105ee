/** `branchline schedule`. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { afterTest, freshSchema } from '../support/database';
import { BRANCHLINE } from '../support/server-process';
import { describeWithTemporal } from '../support/temporal';

describeWithTemporal('branchline schedule', (server) => {
  it('shows where schedules are, and hands one over', async () => {
    const { url, schema } = freshSchema();
    const connection = await Connection.connect({ address: server().address });
    afterTest(() => connection.close());
    const scheduleId = `s-${randomUUID()}`;
    const old = await new Client({ connection }).schedule.create({
      scheduleId,
      spec: { calendars: [{ hour: 3 }] },
      action: { type: 'startWorkflow', workflowType: 'report', taskQueue: 'nobody' },
    });
    afterTest(() => old.delete().catch(() => undefined));
    const run = async (...args: string[]): Promise<string> => {
      const flags = ['--temporal', server().address, '--db', url, '--schema', schema];
      const all = [BRANCHLINE, 'schedule', ...args, ...flags];
      return (await promisify(execFile)(process.execPath, all)).stdout;
    };
    // Temporal's list follows a moment later.
    await expect.poll(() => run('list'), { timeout: 30_000 }).toContain(`${scheduleId}: report on temporal\n`);
    await expect(run('move', scheduleId)).rejects.toThrow('Give one of --to and --undo');
    await expect(run('move', scheduleId, '--undo')).rejects.toThrow('is not being moved');
    const moved = await run('move', scheduleId, '--to', 'postgres', '--by', 'ada', '--reason', 'quieter');
    expect(moved).toMatch(/temporal → postgres, done \(ada: quieter\); temporal up to \S+, postgres from then on/);
    expect(await run('list')).toContain(`${scheduleId}: report on postgres\n`);
    expect(await run('show', scheduleId)).toContain(`${scheduleId} is on postgres.\n`);
    await expect(old.describe()).rejects.toThrow();
  });
});
