/** Starts what is not started, signals and updates what waits; killed and begun again at will. Says `done` when nothing is left to do. */
import { Client, Connection, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from 'branchline/client';
import { planOf } from './plan';
import * as workflows from './workflows';

async function main(): Promise<void> {
  const connection = await Connection.connect({ address: process.env.DATABASE_URL });
  const client = new Client({ connection });
  const all = planOf(Number(process.env.WORKFLOWS));
  const from = Number(process.env.SPREAD_FROM);
  const spreadMs = Number(process.env.SPREAD_MS);
  const one = async ({ workflowId, kind, n }: (typeof all)[number]): Promise<void> => {
    const run: (...args: number[]) => Promise<number> = workflows[kind];
    const handle = await client.workflow
      .start(run, { workflowId, taskQueue: 'faults', args: [n], workflowIdReusePolicy: 'REJECT_DUPLICATE' })
      .catch((err: unknown) => {
        if (err instanceof WorkflowExecutionAlreadyStartedError) return client.workflow.getHandle(workflowId);
        throw err;
      });
    try {
      if (kind === 'signals') for (let i = 0; i < 3; i++) await handle.signal(workflows.go, i);
      if (kind === 'updates') await handle.executeUpdate(workflows.double, { args: [n], updateId: 'the-only-one' });
    } catch (err) {
      if (!(err instanceof WorkflowNotFoundError)) throw err; // completed meanwhile
    }
  };
  // Spread over the whole time, so that each kill meets work under way.
  await Promise.all(
    all.map(async (planned, i) => {
      const wait = from + (spreadMs * i) / all.length - Date.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
      await one(planned);
    }),
  );
  process.send?.('done');
  await connection.close();
}

main().then(
  () => process.exit(0),
  (err) => {
    console.error('starter:', (err as Error).message);
    process.exit(1);
  },
);
