/** Where the database is: a URL, DATABASE_URL, or PG*. */
import type { PoolConfig } from 'pg';
import { DatabaseConnectionError } from './errors';

/** Settings for node-pg. @throws DatabaseConnectionError when nothing names a database or the URL is not one of Postgres */
export function connectionOptions(url: string | undefined, env: NodeJS.ProcessEnv = process.env): PoolConfig {
  const given = url ?? env.DATABASE_URL;
  if (given === undefined || given === '') {
    if (env.PGHOST || env.PGSERVICE || env.PGDATABASE || env.PGUSER || env.PGPORT) return {};
    throw new DatabaseConnectionError(
      'No database: give a URL such as postgres://user:password@host:5432/database, or set DATABASE_URL or PGHOST, PGUSER …',
    );
  }
  let parsed: URL;
  try {
    parsed = new URL(given);
  } catch {
    throw new DatabaseConnectionError(
      'The database URL is not a URL. It should look like postgres://user:password@host:5432/database',
    );
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw new DatabaseConnectionError(
      `The database URL begins with ${parsed.protocol}// and not with postgres://. Branchline runs on Postgres only`,
    );
  }
  return { connectionString: given };
}

/** Host, port and database for messages: never the password. */
export function describeTarget(options: PoolConfig, env: NodeJS.ProcessEnv = process.env): string {
  if (options.connectionString !== undefined) {
    const url = new URL(options.connectionString);
    const host = url.hostname || url.searchParams.get('host') || 'localhost';
    return `${host}:${url.port || '5432'}${url.pathname}`;
  }
  const host = options.host ?? env.PGHOST ?? 'localhost';
  return `${host}:${String(options.port ?? env.PGPORT ?? 5432)}/${options.database ?? env.PGDATABASE ?? ''}`;
}
