/** A client whose calls join a transaction of the test's. */
import type { Client as PgClient } from 'pg';
import type { testClient } from './connection';
import { afterTest, connect, sql } from './database';

export async function transactor(test: Awaited<ReturnType<typeof testClient>>) {
  const tx = await connect();
  afterTest(() => tx.end());
  const { schema } = test.database;
  await sql(`CREATE TABLE ${schema}.orders (id text PRIMARY KEY)`);
  return {
    tx,
    client: test.client.withTransaction(tx),
    orders: () => sql<{ id: string }>(`SELECT id FROM ${schema}.orders ORDER BY id`),
  };
}

/** A transaction around `work`. */
export async function within<T>(
  tx: PgClient,
  work: () => Promise<T>,
  end: 'COMMIT' | 'ROLLBACK' = 'COMMIT',
): Promise<T> {
  await tx.query('BEGIN');
  try {
    return await work();
  } finally {
    await tx.query(end);
  }
}
