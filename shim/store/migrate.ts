/** Brings the schema up to this version: numbered files of `migrations/`, in one transaction, under a lock. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ClientBase } from 'pg';
import { codeOf, DatabaseNewerError, DatabaseOlderError, DatabaseRightsError, INSUFFICIENT_PRIVILEGE } from './errors';
import { migrations as statements } from './sql/migrations';

export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/** At the package's root, as seen from shim/store and lib/store alike. */
const folder = path.resolve(__dirname, '..', '..', 'migrations');

export function readMigrations(from: string = folder): Migration[] {
  return readdirSync(from)
    .filter((file) => /^\d{4}_.*\.sql$/.test(file))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -4),
      sql: readFileSync(path.join(from, file), 'utf8'),
    }));
}

/**
 * Applies what is missing. Any number of processes may do so at once: one works, the others wait and find it done.
 * @throws DatabaseNewerError the database is ahead of this version
 * @throws DatabaseOlderError it is behind, and `apply` is false or the login may not change the tables
 * @throws DatabaseRightsError the login may not read the tables
 */
export async function migrate(
  client: ClientBase,
  schema: string,
  apply: boolean,
  known: Migration[] = readMigrations(),
): Promise<void> {
  const sql = statements(`"${schema}"`);
  const newest = known.at(-1)?.version ?? 0;
  const mayNotRead = (error: unknown): never => {
    throw codeOf(error) === INSUFFICIENT_PRIVILEGE ? new DatabaseRightsError(schema, error) : error;
  };
  const check = async (): Promise<number> => {
    const { rows } = await client.query<{ there: boolean }>(sql.isThere, [schema]);
    if (rows[0]?.there !== true) return 0;
    const version = (await client.query<{ version: number }>(sql.version).catch(mayNotRead)).rows[0]?.version ?? 0;
    if (version > newest) throw new DatabaseNewerError(schema, version, newest);
    return version;
  };
  const before = await check();
  if (before === newest) return;
  if (!apply) throw new DatabaseOlderError(schema, before, newest);

  await client.query('BEGIN');
  try {
    await client.query(sql.lock, [schema]);
    const version = await check();
    if (version === 0) {
      const { rows } = await client.query(sql.schemaIsThere, [schema]);
      if (rows.length === 0) await client.query(sql.createSchema);
      await client.query(sql.createTable);
    }
    // Somebody else did it while this waited.
    if (version === newest) return void (await client.query('COMMIT'));
    for (const migration of known) {
      if (migration.version <= version) continue;
      await client.query(migration.sql.replaceAll(':"schema"', `"${schema}"`));
      await client.query(sql.record, [migration.version, migration.name]);
    }
    await client.query(sql.nothingToPublic);
    await client.query(sql.viewsAsCaller);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    // Where nothing is there yet, the login is the wrong one for the whole.
    if (codeOf(error) === INSUFFICIENT_PRIVILEGE && before > 0) {
      throw new DatabaseOlderError(schema, before, newest, { cause: error });
    }
    throw error;
  }
}
