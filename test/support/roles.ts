/** Group roles of a test's schema, and logins that are members of nothing else. */
import { RoleAdmin, type InstalledRole } from '../../shim/store/roles/role-admin';
import type { RoleKind } from '../../shim/store/roles/rights';
import type { RoleSetOptions } from '../../shim/store/roles/set';
import { Client } from 'pg';
import { afterTest, sql, type TestSchema } from './database';

export interface TestRoles {
  prefix: string;
  installed: InstalledRole[];
  /** The schema as a new login sees it. */
  login(...kinds: RoleKind[]): Promise<TestSchema>;
}

/** Installs a set whose prefix is the schema's name; gone after the test. */
export async function testRoles(database: TestSchema, options: RoleSetOptions = {}, suffix = ''): Promise<TestRoles> {
  const prefix = `${database.schema}${suffix}`;
  const installed = await RoleAdmin.with(database, (admin) => admin.install({ prefix, ...options }));
  afterTest(async () => {
    await RoleAdmin.with(database, (admin) => admin.uninstall(prefix));
  });
  return {
    prefix,
    installed,
    login: (...kinds) =>
      testLogin(
        database,
        kinds.map((kind) => `${prefix}_${kind}`),
      ),
  };
}

let logins = 0;

/** A login in those groups; gone after the test. */
export async function testLogin(
  { url, schema }: TestSchema,
  groups: string[] = [],
  attributes = '',
): Promise<TestSchema> {
  const name = `${schema}_login${++logins}`;
  await sql(`CREATE ROLE ${name} LOGIN PASSWORD 'pw' ${attributes}`);
  afterTest(() => sql(`DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}`).then(() => {}));
  for (const group of groups) await sql(`GRANT ${group} TO ${name}`);
  const own = new URL(url);
  own.username = name;
  own.password = 'pw';
  return { url: own.href, schema };
}

/** A session of a login; ended after the test. */
export async function session({ url }: TestSchema): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  afterTest(() => client.end());
  return client;
}

/** What Postgres says to a statement of that session: '' = done. */
export async function refusal(client: Client, text: string, values: unknown[] = []): Promise<string> {
  await client.query('BEGIN');
  try {
    await client.query(text, values);
    return '';
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  } finally {
    await client.query('ROLLBACK');
  }
}
