/**
 * A process that starts workflows through the router until it is killed: ids of a small set, routes that it takes turns with.
 * Says `{ sent }` before each start and `{ done, runId }` or `{ refused }` after it.
 */
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { Connection } from 'branchline/client';
import { RoutedConnection, type RoutesInput } from 'branchline/router';

const { DATABASE_URL: url, SCHEMA: schema, TEMPORAL: address, IDS: ids = '', QUEUE: taskQueue = '' } = process.env;

async function main(): Promise<void> {
  const temporal = await TemporalConnection.connect({ address });
  const postgres = await Connection.connect({ url, schema });
  const routes: RoutesInput[] = [{ default: 'temporal' }, { default: 'postgres' }];
  const connections = await Promise.all(
    routes.map((routes) => RoutedConnection.connect({ temporal, postgres, routes, graceMs: 2000 })),
  );
  const clients = connections.map((connection) => new Client({ connection }));
  const some = <T>(of: T[]): T => of[Math.floor(Math.random() * of.length)]!;
  const loop = async (): Promise<never> => {
    for (;;) {
      const workflowId = some(ids.split(','));
      process.send?.({ sent: workflowId });
      try {
        const handle = await some(clients).workflow.start('any', { workflowId, taskQueue });
        process.send?.({ done: workflowId, runId: handle.firstExecutionRunId });
        // So that the id may be started, and move, again.
        await handle.terminate().catch(() => undefined);
      } catch (error) {
        process.send?.({ refused: String(error) });
      }
    }
  };
  process.send?.('ready');
  await Promise.all(Array.from({ length: 4 }, loop));
}

process.on('disconnect', () => process.exit(0));
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
