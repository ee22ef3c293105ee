/** Opens a store: connects, migrates, takes a lease. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Connections } from './connections';
import { DatabaseConnectionError } from './errors';
import { migrate } from './migrate';
import { PostgresStore } from './postgres-store';
import { checkedSchema } from './schema-name';
import { rightsOf, type Rights } from './rights';
import type { StoreOptions } from './types';

const defaultLeaseMs = 6000;

/**
 * @throws DatabaseConnectionError no database named, not reachable within some seconds, refused, or too old
 * @throws DatabaseNewerError the schema was migrated by a newer version
 * @throws DatabaseOlderError migrations are missing, and `migrate` is false or the login may not apply them
 * @throws DatabaseRightsError the login has no rights on the schema
 * @throws TimeSkippedError the schema is that of a test environment which skips time in another process
 */
export async function openStore(options: StoreOptions = {}): Promise<PostgresStore> {
  const schema = checkedSchema(options.schema);
  const leaseMs = options.leaseMs ?? defaultLeaseMs;
  if (!(leaseMs >= 300)) throw new DatabaseConnectionError(`leaseMs is ${leaseMs}: it must be at least 300`);
  const connections = new Connections(options);
  try {
    let rights!: Rights;
    await connections.open(async (client) => {
      await migrate(client, schema, options.migrate !== false);
      rights = await rightsOf(client, schema);
    });
    const store = new PostgresStore({
      rights,
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
