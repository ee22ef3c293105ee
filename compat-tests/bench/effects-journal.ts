/** `npm run bench:journal`: what the effects journal costs a workflow with one activity. Prints figures; no test. */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from 'branchline/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from 'branchline/worker';
import { startPostgres } from '../../lib/testing/embedded-postgres';
import { payload, percentile } from './meter.mjs';
import { oneActivity } from './workflows';

const ROUNDS = 3;
const SEQUENTIAL = 150;
const AT_ONCE = 500;
/** Beside the data, on a disk like theirs: a folder in memory would cost nothing. */
const folder = mkdtempSync(path.join(process.cwd(), '.branchline/journal-'));

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const postgres = await startPostgres({ useEnvironment: false, settings: { synchronous_commit: 'on', fsync: 'on' } });
  const client = new Client({ connection: await Connection.connect({ address: postgres.url }) });
  const connection = await NativeConnection.connect({ address: postgres.url });
  const kinds = {
    none: undefined,
    unsynced: { file: path.join(folder, 'unsynced.jsonl'), sync: false },
    synced: { file: path.join(folder, 'synced.jsonl') },
  };
  for (const [taskQueue, effectsJournal] of Object.entries(kinds)) {
    const worker = await Worker.create({
      ...{ connection, taskQueue, workflowsPath: path.join(__dirname, 'workflows.ts') },
      activities: { echo: async (input: unknown) => input },
      ...(effectsJournal && { effectsJournal }),
    });
    void worker.run();
  }
  let id = 0;
  const once = (taskQueue: string): Promise<unknown> =>
    client.workflow.execute(oneActivity, { taskQueue, workflowId: `j-${id++}`, args: [payload(1)] });
  for (const kind of Object.keys(kinds)) await Promise.all(Array.from({ length: 100 }, () => once(kind)));
  const times: Record<string, number[]> = {};
  const rates: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of Object.keys(kinds)) {
      for (let i = 0; i < SEQUENTIAL; i++) {
        const start = performance.now();
        await once(kind);
        (times[kind] ??= []).push(performance.now() - start);
      }
      const start = performance.now();
      await Promise.all(Array.from({ length: AT_ONCE }, () => once(kind)));
      rates[kind] = Math.max(rates[kind] ?? 0, (AT_ONCE / (performance.now() - start)) * 1000);
    }
  }
  for (const kind of Object.keys(kinds)) {
    console.log(
      `${kind}: one at a time p50 ${percentile(times[kind]!, 0.5).toFixed(2)} ms, ${AT_ONCE} at once ${rates[kind]!.toFixed(0)} workflows/s`,
    );
  }
  rmSync(folder, { recursive: true });
  await postgres.stop();
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
