/** A process that does nothing but keep a connection: schedules are every process's business. */
import { Connection } from 'branchline/client';

async function main(): Promise<void> {
  const connection = await Connection.connect({ url: process.env.DATABASE_URL, schema: process.env.SCHEMA });
  await connection.workflowService.getSystemInfo({});
  process.send?.('ready');
  // The channel to the parent keeps the process.
  process.on('disconnect', () => process.exit(0));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
