/** The Postgres table of a profile, as TOML and environment have it. */
import type { ClientConfigPostgres } from './types';

/** As in the file. */
export interface TomlPostgres {
  url?: string;
  schema?: string;
  max_connections?: number;
  listen?: boolean;
}

const kinds: Record<keyof TomlPostgres, string> = {
  url: 'string',
  schema: 'string',
  max_connections: 'number',
  listen: 'boolean',
};

/**
 * Checks what a file says.
 * @param where for messages: `profile.NAME`
 * @throws Error for values of another type; with `strict`, for keys that are not known
 */
export function checkPostgres(where: string, table: unknown, strict: boolean): asserts table is TomlPostgres {
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    throw new Error(`Validation error: ${where}.postgres must be a table`);
  }
  const unknown = Object.keys(table).filter((key) => !(key in kinds));
  if (strict && unknown.length > 0) {
    throw new Error(`Validation error: key(s) unrecognized in ${where}.postgres: ${unknown.join(', ')}`);
  }
  for (const [key, kind] of Object.entries(kinds)) {
    const value = (table as Record<string, unknown>)[key];
    if (value !== undefined && typeof value !== kind) {
      throw new Error(`Validation error: ${where}.postgres.${key} must be a ${kind}`);
    }
  }
}

export function fromTomlPostgres(table: TomlPostgres | undefined): ClientConfigPostgres | undefined {
  if (table === undefined) return undefined;
  const { url, schema, max_connections: maxConnections, listen } = table;
  return withoutUndefined({ url, schema, maxConnections, listen });
}

export function toTomlPostgres(postgres: ClientConfigPostgres | undefined): TomlPostgres | undefined {
  if (postgres === undefined) return undefined;
  const { url, schema, maxConnections, listen } = postgres;
  return withoutUndefined({ url, schema, max_connections: maxConnections, listen });
}

/** BRANCHLINE_URL and BRANCHLINE_SCHEMA go before the file; undefined when there is nothing. */
export function postgresOf(
  table: TomlPostgres | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ClientConfigPostgres | undefined {
  const fromEnv = withoutUndefined({
    url: env.BRANCHLINE_URL || undefined,
    schema: env.BRANCHLINE_SCHEMA || undefined,
  });
  const postgres = { ...fromTomlPostgres(table), ...fromEnv };
  return Object.keys(postgres).length === 0 ? undefined : postgres;
}

function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
