/**
 * Writes migrations/schema.sql: what all migrations together make, read back from Postgres's catalogue. A test checks that it is fresh.
 * `npx tsx scripts/dump-schema.ts`. (pg_dump does not come with the embedded Postgres.)
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client, type ClientBase } from 'pg';
import { migrate } from '../shim/store/migrate';
import { startPostgres } from '../shim/testing/embedded-postgres';

export const schemaFile = path.resolve(__dirname, '../migrations/schema.sql');

/** Texts of views differ between versions of Postgres: the dump is of this one. */
export const dumpedVersion = 18;

const tables = `
  SELECT c.oid, c.relname AS name, c.relpersistence = 'u' AS unlogged, array_to_string(c.reloptions, ', ') AS options
  FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' ORDER BY c.relname`;
const columns = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required, a.attidentity AS identity,
    CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname FROM pg_collation WHERE oid = a.attcollation) END AS collation,
    pg_get_expr(d.adbin, d.adrelid) AS standard,
    CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
const constraints = `
  SELECT conname AS name, pg_get_constraintdef(oid) AS text FROM pg_constraint
  WHERE conrelid = $1 AND contype <> 'n' ORDER BY contype <> 'p', conname`;
const indexes = `
  SELECT pg_get_indexdef(i.indexrelid) AS text FROM pg_index i
  WHERE i.indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid) ORDER BY i.indexrelid::regclass::text`;
const triggers = `
  SELECT pg_get_triggerdef(t.oid) AS text FROM pg_trigger t WHERE t.tgrelid = $1 AND NOT t.tgisinternal ORDER BY t.tgname`;
const functions = `
  SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p
  WHERE p.pronamespace = $1::regnamespace ORDER BY p.proname, pg_get_function_identity_arguments(p.oid)`;
const views = `
  SELECT c.relname AS name, array_to_string(c.reloptions, ', ') AS options, pg_get_viewdef(c.oid, true) AS text FROM pg_class c
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'v' ORDER BY c.relname`;

const storages: Record<string, string> = { p: 'PLAIN', e: 'EXTERNAL', m: 'MAIN', x: 'EXTENDED' };

interface Column {
  name: string;
  type: string;
  required: boolean;
  identity: string;
  collation: string | null;
  standard: string | null;
  storage: string | null;
}

function columnText(column: Column): string {
  let text = `  ${column.name} ${column.type}`;
  if (column.collation !== null) text += ` COLLATE "${column.collation}"`;
  if (column.identity === 'a') text += ' GENERATED ALWAYS AS IDENTITY';
  if (column.standard !== null) text += ` DEFAULT ${column.standard}`;
  if (column.required) text += ' NOT NULL';
  return text;
}

/** The objects of a schema as SQL, in a stable order, under the name `branchline`. */
export async function dumpSchema(client: ClientBase, schema: string): Promise<string> {
  const rows = async <R extends object>(text: string, of: unknown): Promise<R[]> =>
    (await client.query<R>(text, [of])).rows;
  const parts: string[] = [];
  for (const table of await rows<{ oid: number; name: string; unlogged: boolean; options: string | null }>(
    tables,
    schema,
  )) {
    const all = await rows<Column>(columns, table.oid);
    const lines = all.map(columnText);
    for (const { name, text } of await rows<{ name: string; text: string }>(constraints, table.oid)) {
      lines.push(`  CONSTRAINT ${name} ${text}`);
    }
    const options = table.options === null ? '' : ` WITH (${table.options})`;
    parts.push(
      `CREATE${table.unlogged ? ' UNLOGGED' : ''} TABLE ${schema}.${table.name} (\n${lines.join(',\n')}\n)${options};`,
    );
    for (const column of all) {
      if (column.storage === null) continue;
      const storage = storages[column.storage] ?? column.storage;
      parts.push(`ALTER TABLE ${schema}.${table.name} ALTER COLUMN ${column.name} SET STORAGE ${storage};`);
    }
    for (const { text } of await rows<{ text: string }>(indexes, table.oid)) parts.push(`${text};`);
    for (const { text } of await rows<{ text: string }>(triggers, table.oid)) parts.push(`${text};`);
  }
  for (const { text } of await rows<{ text: string }>(functions, schema)) parts.push(`${text.trimEnd()};`);
  for (const { name, options, text } of await rows<{ name: string; options: string; text: string }>(views, schema)) {
    parts.push(`CREATE VIEW ${schema}.${name} WITH (${options}) AS\n${text}`);
  }
  const title =
    '-- Made by scripts/dump-schema.ts from the migrations. Read migrations/0001_foundation.sql for the story of these tables.';
  return `${[title, ...parts].join('\n\n').replaceAll(schema, 'branchline')}\n`;
}

async function main(): Promise<void> {
  const postgres = await startPostgres({ useEnvironment: false });
  const client = new Client(postgres.url);
  try {
    await client.connect();
    await migrate(client, 'dumped_schema', true);
    writeFileSync(schemaFile, await dumpSchema(client, 'dumped_schema'));
  } finally {
    await client.end();
    await postgres.stop();
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
