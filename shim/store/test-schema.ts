/** A schema of its own for one test environment, on a server that others use too. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { connectionOptions, describeTarget } from './connection-options';
import { DatabaseConnectionError } from './errors';
import { testSchemas } from './sql/test-schemas';

export interface TestSchema {
  schema: string;
  /** Drops it, with all that is in it. Its connections must be closed. */
  drop(): Promise<void>;
}

/**
 * Makes an empty schema, and removes those that killed processes left.
 * @throws DatabaseConnectionError when the database cannot be reached, or does not let this role make schemas
 */
export async function createTestSchema(url: string): Promise<TestSchema> {
  const schema = `branchline_test_${randomBytes(8).toString('hex')}`;
  const sql = testSchemas(`"${schema}"`);
  const options = connectionOptions(url);
  const holder = new Client({ ...options, application_name: `branchline-testing ${process.pid}` });
  // It is only there to be missed when it is gone.
  holder.on('error', () => {});
  try {
    await holder.connect();
    await holder.query(sql.hold, [schema]);
    await holder.query(sql.create);
    await sweep(holder);
  } catch (error) {
    await holder.end().catch(() => {});
    const target = describeTarget(options);
    throw new DatabaseConnectionError(`No test schema on ${target}: ${(error as Error).message}`, { cause: error });
  }
  // An environment that is never torn down keeps no finished program alive.
  const lasting = holder as unknown as { ref(): void; unref(): void };
  lasting.unref();
  return {
    schema,
    drop: async () => {
      lasting.ref();
      try {
        await holder.query(sql.drop);
      } finally {
        await holder.end().catch(() => {});
      }
    },
  };
}

async function sweep(client: Client): Promise<void> {
  await client.query('BEGIN');
  try {
    const { rows } = await client.query<{ name: string }>(testSchemas('').abandoned);
    for (const { name } of rows) await client.query(testSchemas(`"${name}"`).drop);
    await client.query('COMMIT');
  } catch {
    // Somebody else may be sweeping; what is left is found the next time.
    await client.query('ROLLBACK');
  }
}
