/** How an application names its database, from a client's Connection or a worker's NativeConnection. */
import { BranchlineOptionError } from '../common/errors';
import type { StoreOptions } from '../store/types';
import { LIMIT_KEYS } from './engine/limits';
import type { Limits } from './engine/types';
import type { ServiceOptions } from './index';

/** The part of connection options that is Branchline's own. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:5432/database`, with `?schema=…` if the schema is not `branchline`. Default: BRANCHLINE_URL, DATABASE_URL, then PGHOST, PGUSER, … */
  url?: string;
  /** Temporal's name for the same; must be a Postgres URL. */
  address?: string;
  /** The application's own pool, instead of a URL. */
  pool?: StoreOptions['pool'];
  /** Schema of Branchline's tables. Default `branchline`. */
  schema?: string;
  /** Connections that this process may open. Default 6. */
  maxConnections?: number;
  /** Default true; give false behind a transaction-mode pooler: changes are then found by polling. */
  listen?: boolean;
  /** Bring the tables up to date when connecting. Default true. */
  migrate?: boolean;
  /**
   * Limits, by the keys of a Temporal server's dynamic configuration: `{ 'limit.blobSize.error': 4_194_304 }`. docs/limits.md lists the keys with their
   * defaults. All connections of a process to one database have the same.
   */
  dynamicConfig?: Record<string, number>;
  /** Told of payloads and histories that go over a warning limit. Default: a line of JSON on stderr, for a worker's connection its runtime's logger. */
  logger?: { warn(message: string, tags?: Record<string, unknown>): unknown };
}

const POSTGRES_URL = /^postgres(ql)?:\/\//i;

/**
 * The store's options. `option` names the option in refusals.
 * @throws BranchlineOptionError for the address of a Temporal server
 */
export function storeOptions(options: DatabaseOptions): StoreOptions {
  const { pool, maxConnections, listen, migrate } = options;
  if (options.address !== undefined && !POSTGRES_URL.test(options.address)) {
    throw new BranchlineOptionError(
      'address',
      `'${options.address}' is not a Postgres URL. Branchline runs on Postgres and has no server to connect to: ` +
        "give `address` or `url` as 'postgres://user:password@host:5432/database', or leave it out and set DATABASE_URL.",
    );
  }
  if (options.url !== undefined && options.address !== undefined && options.url !== options.address) {
    throw new BranchlineOptionError('address', 'it says something else than `url`: give one of them.');
  }
  if (pool !== undefined && (options.url ?? options.address) !== undefined) {
    throw new BranchlineOptionError('pool', 'it was given together with `url` or `address`: give one of them.');
  }
  const { url, schema } = withSchema(options.url ?? options.address ?? process.env.BRANCHLINE_URL, options.schema);
  return {
    ...(url === undefined || url === '' || pool !== undefined ? {} : { url }),
    ...(pool === undefined ? {} : { pool }),
    ...(schema === undefined ? {} : { schema }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(listen === undefined ? {} : { listen }),
    ...(migrate === undefined ? {} : { migrate }),
  };
}

/**
 * What the options say to the service on that store.
 * @throws BranchlineOptionError for a key that is none, or a value that is no number of at least 0
 */
export function serviceOptions({ dynamicConfig, logger }: DatabaseOptions): Pick<ServiceOptions, 'limits' | 'warn'> {
  return {
    ...(dynamicConfig === undefined ? {} : { limits: limitsOf(dynamicConfig) }),
    ...(logger === undefined ? {} : { warn: (message, tags) => void logger.warn(message, tags) }),
  };
}

function limitsOf(dynamicConfig: Record<string, number>): Partial<Limits> {
  const limits: Partial<Limits> = {};
  for (const [key, value] of Object.entries(dynamicConfig)) {
    if (!Object.hasOwn(LIMIT_KEYS, key)) {
      throw new BranchlineOptionError('dynamicConfig', `'${key}' is not one of ${Object.keys(LIMIT_KEYS).join(', ')}.`);
    }
    if (!(Number.isSafeInteger(value) && value >= 0)) {
      throw new BranchlineOptionError('dynamicConfig', `'${key}' must be a whole number of at least 0.`);
    }
    limits[LIMIT_KEYS[key]!] = value;
  }
  return limits;
}

/** A URL may name the schema too: such a URL leads to the tables by itself. */
function withSchema(url: string | undefined, schema: string | undefined): { url?: string; schema?: string } {
  if (url === undefined || !URL.canParse(url)) return { url, schema };
  const parsed = new URL(url);
  const named = parsed.searchParams.get('schema');
  if (named === null) return { url, schema };
  if (schema !== undefined && schema !== named) {
    throw new BranchlineOptionError('schema', `the URL names another one, '${named}': give one of them.`);
  }
  parsed.searchParams.delete('schema');
  return { url: parsed.href, schema: named };
}

/** Options of Temporal's connections that mean a network or a cloud, and what to give instead. */
const INSTEAD: Record<string, string> = {
  tls: 'there is no gRPC connection to encrypt; ask for TLS to Postgres in the URL (sslmode=verify-full).',
  credentials: 'there is no gRPC channel; put user and password into the Postgres URL.',
  callCredentials: 'there is no gRPC channel; put user and password into the Postgres URL.',
  apiKey: 'there is no Temporal Cloud behind it; put user and password into the Postgres URL.',
  channelArgs: 'there is no gRPC channel.',
  interceptors:
    'there are no gRPC calls to intercept; use the interceptors of the client, or an empty list to switch retries off.',
  proxy: 'there is no gRPC channel.',
  grpcCompression: 'there is no gRPC channel.',
};

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  // TLS options as `{}` ask for TLS; empty channel arguments ask for nothing.
  return false;
}

/** Throws for options that cannot be honoured here. Falsy values ask for nothing and pass. */
export function refuseNetworkOptions(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const advice = INSTEAD[name];
    if (advice === undefined || isEmpty(value)) continue;
    if (name === 'channelArgs' && Object.keys(value as object).length === 0) continue;
    throw new BranchlineOptionError(name, advice);
  }
}
