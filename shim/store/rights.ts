/** What the login of this process may do, so that it leaves to others what it may not. */
import type { ClientBase } from 'pg';
import { rights } from './sql/rights';

export interface Rights {
  /** Take tasks from queues: the login is a worker. */
  work: boolean;
  /** Delete what has expired. */
  expire: boolean;
  /** Row-level security applies to it: it may see some namespaces only. */
  restricted: boolean;
}

export async function rightsOf(client: ClientBase, schema: string): Promise<Rights> {
  const { rows } = await client.query<Rights>(rights(`"${schema}"`).own);
  return rows[0]!;
}
