/** A schema of its own for each test, on the one Postgres of the run, and a check that the test left nothing open. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterEach, inject } from 'vitest';
import { openStore } from '../../shim/store/open';
import type { PostgresStore } from '../../shim/store/postgres-store';
import type { StoreOptions } from '../../shim/store/types';
import { collectHistories } from './histories';

export interface TestSchema {
  url: string;
  schema: string;
}

const clean: (() => Promise<void>)[] = [];

/** Name of a schema that does not exist yet; dropped after the test. */
export function freshSchema(): TestSchema {
  const schema = `t_${randomBytes(8).toString('hex')}`;
  // Connections carry the schema in their names, so that a leak is found in the test that made it.
  const url = new URL(inject('databaseUrl'));
  url.searchParams.set('application_name', schema);
  clean.push(async () => {
    const leaked = await leakedConnections(schema);
    const broken = await collectHistories(schema, sql).catch((error: unknown) => error);
    await sql(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    if (leaked > 0) throw new Error(`The test left ${leaked} database connections open`);
    if (broken !== undefined) throw broken;
  });
  return { url: url.href, schema };
}

/** A store on a fresh schema (or a given one), closed after the test. */
export async function testStore(
  options: StoreOptions = {},
  database: TestSchema = freshSchema(),
): Promise<PostgresStore> {
  const store = await openStore({ ...database, ...options });
  clean.push(() => store.close());
  return store;
}

/** Runs one statement on a connection of its own. */
export async function sql<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
  const client = await connect();
  try {
    return (await client.query(text, values)).rows as R[];
  } finally {
    await client.end();
  }
}

/** A plain connection to the run's database; end it in the test. */
export async function connect(): Promise<Client> {
  const client = new Client({ connectionString: inject('databaseUrl') });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Something to undo after the test, before what was made earlier. */
export function afterTest(undo: () => Promise<void>): void {
  clean.push(undo);
}

async function leakedConnections(schema: string): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const rows = await sql<{ count: number }>(
      'SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1',
      [schema],
    );
    const count = rows[0]?.count ?? 0;
    // A closed connection is seen for a moment after its end.
    if (count === 0 || attempt === 40) return count;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

afterEach(async () => {
  const errors: unknown[] = [];
  for (const undo of clean.splice(0).reverse()) await undo().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
});
