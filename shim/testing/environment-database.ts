/** The place of one test environment: a schema of its own on the shared embedded Postgres, in a container, or on a given server. */
import { createTestSchema } from '../store/test-schema';
import { usePostgresContainer } from './container-postgres';
import { type PostgresPlace, postgresPlace, type TestPostgresOptions } from './postgres-options';
import { useSharedPostgres } from './shared-postgres';

export interface EnvironmentDatabase {
  /** postgres:// URL that names the schema too: any connection with it joins the environment. */
  readonly address: string;
  /** Drops the schema. Safe to call twice. */
  remove(): Promise<void>;
}

export async function createDatabase(options: TestPostgresOptions = {}): Promise<EnvironmentDatabase> {
  const server = await serverFor(postgresPlace(options));
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
    await server.release();
    throw error;
  }
}

interface ServerUse {
  url: string;
  release(): void | Promise<void>;
}

async function serverFor({ image, url }: PostgresPlace): Promise<ServerUse> {
  if (image !== undefined) return usePostgresContainer(image);
  if (url !== undefined) return { url, release: () => {} };
  return useSharedPostgres();
}
