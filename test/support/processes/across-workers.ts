/**
 * Workers of both engines whose children may live on the other one, until the process kills itself: KILL = `before:start`, `after:start`, `before:signal`,
 * `after:signal`, at the second such call to the other engine. Without it they go on.
 */
import path from 'node:path';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { Connection } from 'branchline/client';
import { RoutedConnection, createWorkers } from 'branchline/router';

const {
  DATABASE_URL: url,
  SCHEMA: schema,
  TEMPORAL: address,
  QUEUE: taskQueue = '',
  ROUTES = '',
  KILL = '',
} = process.env;

async function main(): Promise<void> {
  const temporal = await TemporalConnection.connect({ address });
  const postgres = await Connection.connect({ url, schema });
  const connection = await RoutedConnection.connect({ temporal, postgres, routes: JSON.parse(ROUTES) });
  const [when, what] = KILL.split(':');
  let calls = 0;
  const killing =
    <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const now = name === what && ++calls === 2;
      if (now && when === 'before') process.kill(process.pid, 'SIGKILL');
      const answer = await call(...args);
      if (now) process.kill(process.pid, 'SIGKILL');
      return answer;
    };
  connection.startChild = killing('start', connection.startChild.bind(connection));
  const service = connection.workflowService;
  service.signalWorkflowExecution = killing(
    'signal',
    service.signalWorkflowExecution.bind(service) as (request: object) => Promise<object>,
  ) as typeof service.signalWorkflowExecution;
  const workers = await createWorkers({
    temporal: { address },
    postgres: { url, schema },
    taskQueue,
    workflowsPath: path.join(__dirname, '../../router/workflows.ts'),
    across: new Client({ connection }),
  });
  process.send?.('ready');
  await workers.run();
}

process.on('disconnect', () => process.exit(0));
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
