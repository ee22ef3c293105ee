/** A process that starts and signals workflows in a transaction of its own, and is killed by itself at the point that its parent names. */
import { Client, Connection } from 'branchline/client';
import { Client as PgClient } from 'pg';

interface Plan {
  url: string;
  schema: string;
  queue: string;
  die: 'before commit' | 'at commit' | 'after commit';
}

async function main({ url, schema, queue, die }: Plan): Promise<void> {
  const connection = await Connection.connect({ url, schema });
  const tx = new PgClient({ connectionString: url });
  await tx.connect();
  await tx.query('BEGIN');
  const client = new Client({ connection }).withTransaction(tx);
  await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
  for (const value of [1, 2, 'end']) await client.workflow.getHandle('w').signal('s', value);
  await client.workflow.getHandle('running').signal('s', 'end');
  const dead = (): never => {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('killed');
  };
  if (die === 'before commit') dead();
  const committed = tx.query('COMMIT');
  // Sent, and the answer not waited for.
  if (die === 'at commit') setImmediate(() => setImmediate(dead));
  await committed;
  dead();
}

void main(JSON.parse(process.argv[2] ?? '') as Plan);
