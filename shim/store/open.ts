/** Opens a store: connects, migrates, takes a lease. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Connections } from './connections';
import { DatabaseConnectionError } from './errors';
import { migrate } from './migrate';
import { PostgresStore } from './postgres-store';
import type { StoreOptions } from './types';

const defaultLeaseMs = 6000;

/**
 * @throws DatabaseConnectionError no database named, not reachable within some seconds, refused, or too old
 * @throws DatabaseNewerError the schema was migrated by a newer version
 * @throws DatabaseOlderError migrations are missing and `migrate` is false
 * @throws TimeSkippedError the schema is that of a test environment which skips time in another process
 */
export async function openStore(options: StoreOptions = {}): Promise<PostgresStore> {
  const schema = options.schema ?? 'branchline';
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(schema)) {
    throw new DatabaseConnectionError(
      `Schema name ${JSON.stringify(schema)}: use letters, digits and underscores, at most 40, no digit first`,
    );
  }
  const leaseMs = options.leaseMs ?? defaultLeaseMs;
  if (!(leaseMs >= 300)) throw new DatabaseConnectionError(`leaseMs is ${leaseMs}: it must be at least 300`);
  const connections = new Connections(options);
  try {
    await connections.open((client) => migrate(client, schema, options.migrate !== false));
    const store = new PostgresStore({
      connections,
      processId: randomUUID(),
      schema,
      identity: options.identity ?? `${process.pid}@${hostname()}`,
      leaseMs,
      listen: options.listen !== false,
      timeSkipping: options.timeSkipping === true,
    });
    await store.start();
    return store;
  } catch (error) {
    await connections.close();
    throw error;
  }
}
