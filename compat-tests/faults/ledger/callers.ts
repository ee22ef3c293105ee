/** The other way to make a transfer: the application books two of its steps itself, in the transactions by which it starts and signals the workflow. */
import { Client as Postgres } from 'pg';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from 'branchline/client';
import { bookingsOf, INSERT, type Transfer } from './book';
import { pay, type order } from './workflows';

export interface Caller {
  url: string;
  client: Client;
  taskQueue: string;
  /** A mutation: workflows are started beside the transaction, not in it. */
  beside?: boolean;
}

type Work = (tx: Postgres, client: Client) => Promise<'commit' | 'rollback'>;

/** Until both transactions are known to be there, whoever made them. */
export async function place(caller: Caller, transfer: Transfer, waits: boolean): Promise<void> {
  const { id, from, to, cents } = transfer;
  const { taskQueue } = caller;
  const options = { taskQueue, workflowId: id, workflowTaskTimeout: '1s', args: [to, waits] as [string, boolean] };
  await once(caller, 'transactional start', async (tx, client) => {
    try {
      await client.workflow.start<typeof order>('order', { ...options, workflowIdReusePolicy: 'REJECT_DUPLICATE' });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return 'rollback';
      throw error;
    }
    await book(tx, id, 'withdraw', bookingsOf.withdraw(from, cents));
    return 'commit';
  });
  await once(caller, 'transactional signal', async (tx, client) => {
    const { rowCount } = await tx.query('INSERT INTO book.paid VALUES ($1) ON CONFLICT DO NOTHING', [id]);
    if (rowCount === 0) return 'rollback';
    await book(tx, id, 'charge', bookingsOf.charge(from));
    try {
      await client.workflow.getHandle(id).signal(pay, cents);
    } catch (error) {
      // It has waited long enough, and has closed.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await client.workflow.signalWithStart<typeof order, [number]>('order', {
        ...options,
        signal: pay,
        signalArgs: [cents],
      });
    }
    return 'commit';
  });
}

/** One transaction. When it is not known what became of it, the next try sees what it left. */
async function once({ url, client, beside }: Caller, name: string, work: Work): Promise<void> {
  for (;;) {
    const tx = new Postgres({ connectionString: url, application_name: name });
    tx.on('error', () => undefined);
    try {
      await tx.connect();
      await tx.query('BEGIN');
      const joined = beside === true ? client : client.withTransaction(tx);
      if ((await work(tx, joined)) === 'commit') await tx.query('COMMIT');
      return;
    } catch (error) {
      if (process.env.FAULT_LOG) console.error(name, error);
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      tx.end().catch(() => undefined);
    }
  }
}

async function book(
  tx: Postgres,
  id: string,
  step: string,
  [from, to, cents]: [string, string, number],
): Promise<void> {
  await tx.query(INSERT, [id, step, from, -cents]);
  await tx.query(INSERT, [id, step, to, cents]);
}
