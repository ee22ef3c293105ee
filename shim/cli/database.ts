/** The database that a command works on. */
import type { Connection } from '../client/connection';

export interface DatabaseFlags {
  db?: string;
  schema?: string;
}

/** Connects for as long as the work takes. */
export async function withDatabase<R>(
  { db, schema }: DatabaseFlags,
  work: (connection: Connection) => Promise<R>,
): Promise<R> {
  const { Connection } = await import('../client/connection.js');
  const connection = await Connection.connect({
    ...(db === undefined ? {} : { url: db }),
    ...(schema === undefined ? {} : { schema }),
    maxConnections: 3,
  });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
