/** The place of one test environment: a schema of its own on the shared embedded Postgres, or on a given one. */
import { createTestSchema } from '../store/test-schema';
import { checkPostgresOptions, type TestPostgresOptions } from './server-options';
import { useSharedPostgres } from './shared-postgres';

export interface EnvironmentDatabase {
  /** postgres:// URL that names the schema too: any connection with it joins the environment. */
  readonly address: string;
  /** Drops the schema. Safe to call twice. */
  remove(): Promise<void>;
}

export async function createDatabase(options: TestPostgresOptions = {}): Promise<EnvironmentDatabase> {
  checkPostgresOptions(options);
  const given = options.url ?? process.env.BRANCHLINE_TEST_URL;
  const server = given === undefined || given === '' ? await useSharedPostgres() : { url: given, release: () => {} };
  try {
    const { schema, drop } = await createTestSchema(server.url);
    const address = new URL(server.url);
    address.searchParams.set('schema', schema);
    let removed: Promise<void> | undefined;
    return {
      address: address.href,
      remove: () => (removed ??= drop().finally(() => server.release())),
    };
  } catch (error) {
    server.release();
    throw error;
  }
}
