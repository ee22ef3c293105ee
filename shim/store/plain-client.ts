/** A connection for a command of an operator: it takes no lease and does no work. */
import { Client } from 'pg';
import { connectionOptions, describeTarget } from './connection-options';
import { DatabaseConnectionError, reasonOf } from './errors';

/**
 * `url` as in `StoreOptions`; `purpose` is what Postgres shows as the application's name after `branchline`. The caller ends it.
 * @throws DatabaseConnectionError no database named, or not reachable
 */
export async function plainClient(url: string | undefined, purpose: string): Promise<Client> {
  const options = connectionOptions(url);
  const client = new Client({ application_name: `branchline ${purpose}`, ...options });
  // Its next statement fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw new DatabaseConnectionError(`Cannot reach the database at ${describeTarget(options)} (${reasonOf(error)})`, {
      cause: error,
    });
  }
}
