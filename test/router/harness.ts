/** Routed connections on a schema of their own and a real Temporal server. */
import { randomUUID } from 'node:crypto';
import { Connection as TemporalConnection, Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { Connection } from '../../shim/client';
import { RoutedConnection, type RoutedConnectionOptions, type RoutesInput } from '../../shim/router';
import { type TestSchema, afterTest, freshSchema } from '../support/database';
import { watchHistories } from '../support/histories';

export interface Routed {
  connection: RoutedConnection;
  client: Client;
  /** Clients that know nothing of the router. */
  plain: { temporal: Client; postgres: Client };
  database: TestSchema;
  /** A task queue, and a beginning of ids, that nobody else uses. */
  queue: string;
  logged: { level: string; message: string; meta?: Record<string, unknown> }[];
}

/** Routes that send what begins with `pg-` to Postgres and the rest to Temporal. */
export const byIdRoutes: RoutesInput = {
  rules: [{ name: 'by-id', workflowId: { pattern: 'pg-.*' }, engine: 'postgres' }],
};

/** Everything goes there. */
export const all = (engine: string): RoutesInput => ({ default: engine });

export async function routed(
  address: string,
  options: Partial<RoutedConnectionOptions> = {},
  database: TestSchema = freshSchema(),
): Promise<Routed> {
  const temporal = await TemporalConnection.connect({ address });
  afterTest(() => temporal.close());
  const postgres = await Connection.connect({ ...database });
  afterTest(() => postgres.close());
  watchHistories(database);
  const logged: Routed['logged'] = [];
  const connection = await RoutedConnection.connect({
    ...(options.engines === undefined ? { temporal, postgres } : {}),
    logger: listLogger(logged),
    ...options,
  });
  afterTest(() => connection.close());
  return {
    connection,
    client: new Client({ connection }),
    plain: { temporal: new Client({ connection: temporal }), postgres: new Client({ connection: postgres }) },
    database,
    queue: `q-${randomUUID()}`,
    logged,
  };
}

export function listLogger(entries: Routed['logged']): Logger {
  const log =
    (level: string) =>
    (message: string, meta?: Record<string, unknown>): void =>
      void entries.push({ level, message, ...(meta === undefined ? {} : { meta }) });
  return {
    log: (level, message, meta) => log(level)(message, meta),
    trace: log('TRACE'),
    debug: log('DEBUG'),
    info: log('INFO'),
    warn: log('WARN'),
    error: log('ERROR'),
  };
}
