/** A process that calls what its parent tells it to: {method, request} of the WorkflowService. */
import { Connection } from 'branchline/client';

type Call = { method: string; request: object };

async function main(): Promise<void> {
  const connection = await Connection.connect({ url: process.env.DATABASE_URL, schema: process.env.SCHEMA });
  const service = connection.workflowService as unknown as Record<string, (request: object) => Promise<object>>;
  process.on('message', ({ method, request }: Call) => {
    service[method]!(request).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.send?.('ready');
  process.on('disconnect', () => process.exit(0));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
