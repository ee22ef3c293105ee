/** The database that a command works on. */
import type { Connection } from '../client/connection';
import { storeOptions } from '../service/connect-options';

export interface DatabaseFlags {
  db?: string;
  schema?: string;
}

/** Where it is, as connections find it: `?schema=` of the URL counts too. */
export function databaseOf({ db, schema }: DatabaseFlags): { url?: string; schema?: string } {
  const { url, schema: named } = storeOptions({
    ...(db === undefined ? {} : { url: db }),
    ...(schema === undefined ? {} : { schema }),
  });
  return { ...(url === undefined ? {} : { url }), ...(named === undefined ? {} : { schema: named }) };
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
