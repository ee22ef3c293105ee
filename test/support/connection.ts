/** A client on a schema of its own. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type ConnectionOptions } from '../../shim/client';
import { type TestSchema, afterTest, freshSchema } from './database';
import { watchHistories } from './histories';

export interface TestClient {
  connection: Connection;
  client: Client;
  database: TestSchema;
  /** A task queue and ids that nobody else uses. */
  queue: string;
}

export async function testClient(options: ConnectionOptions = {}, database = freshSchema()): Promise<TestClient> {
  const connection = await Connection.connect({ ...database, ...options });
  afterTest(() => connection.close());
  watchHistories(database);
  return { connection, client: new Client({ connection }), database, queue: `queue-${randomUUID()}` };
}
