/** `branchline server`: the gateway as a process of its own. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { BranchlineError } from '../common/branchline-error';
import type { Gateway, Security } from '../gateway';
import type { DatabaseOptions } from '../service/connect-options';
import type { Service } from '../service/types';
import type { RoutedFlags, Served } from './routed-service';

interface ServerOptions extends RoutedFlags {
  ip: string;
  port: number;
  db?: string;
  profile?: string;
  configFile?: string;
  schema?: string;
  maxConnections?: number;
  listen: boolean;
  namespace?: string[];
  searchAttribute?: string[];
  dynamicConfigValue?: string[];
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  apiKey?: string;
  metricsPort?: number;
  output: 'text' | 'json';
}

/** As `temporal server start-dev` registers namespaces: 24 hours. */
const RETENTION_SECONDS = 24 * 3600;

const gather = (value: string, previous: string[] = []): string[] => [...previous, value];

function whole(from: number, to: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= from && number <= to) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };
}

export function serverCommand(): Command {
  return new Command('server')
    .description("Serve Temporal's gRPC API on Postgres tables")
    .option(
      '--ip <address>',
      'address to bind to; other than loopback needs TLS and an API key or --tls-ca',
      '127.0.0.1',
    )
    .option('-p, --port <port>', 'port to listen on, 0 for a free one', whole(0, 65_535), 7233)
    .option('--db <url>', 'postgres:// URL (else BRANCHLINE_URL, DATABASE_URL, PGHOST …)')
    .option('--profile <name>', "profile of Temporal's configuration file with a Postgres table, for what no flag says")
    .option('--config-file <path>', 'that file (else TEMPORAL_CONFIG_FILE, or its usual place)')
    .option('--schema <name>', "schema of Branchline's tables (else branchline)")
    .option('--max-connections <n>', 'Postgres connections to use at most (else 6)', whole(3, 10_000))
    .option('--no-listen', 'find changes of other processes by polling (behind a transaction-mode pooler)')
    .option('-n, --namespace <name>', 'namespace to register when it is missing; may be repeated', gather)
    .option('--search-attribute <Name=Type>', 'search attribute to register; may be repeated', gather)
    .option('--tls-cert <file>', 'certificate to show, PEM')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-ca <file>', 'authorities of client certificates, PEM: clients must then show one (mTLS)')
    .addOption(new Option('--api-key <key>', 'key that callers must send').env('BRANCHLINE_API_KEY'))
    .option('--metrics-port <port>', 'serve metrics for Prometheus on this port, 0 for a free one', whole(0, 65_535))
    .option(
      '--dynamic-config-value <KEY=VALUE>',
      'limit to set, as on `temporal server start-dev`: limit.blobSize.error=4194304; may be repeated (docs/limits.md)',
      gather,
    )
    .option('--routed', 'serve a Temporal server as well: each workflow is on the engine that its route says')
    .option('--temporal <address>', 'with --routed: the Temporal server, host:port')
    .addOption(new Option('--temporal-api-key <key>', 'with --routed: key for it').env('BRANCHLINE_TEMPORAL_API_KEY'))
    .option('--temporal-tls', 'with --routed: TLS to it (an API key means TLS)')
    .option('--temporal-namespace <name>', 'with --routed: namespace there, in place of the one that callers name')
    .option('--routes <file>', 'with --routed: routes of a JSON file, instead of the stored ones')
    .option('--headless', 'as on `temporal server start-dev`; there is no UI to leave out')
    .addOption(
      new Option('-o, --output <form>', 'form of the line on stdout').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', '\nExample:\n  branchline server --db postgres://localhost/app --namespace orders')
    .action(serve);
}

async function serve(options: ServerOptions): Promise<void> {
  const security = securityOf(options);
  const { startGateway, checkSecurity } = await import('../gateway/index.js');
  // Before the database is touched.
  checkSecurity(options.ip, security);
  const { checkRoutedFlags, openRoutedService } = await import('./routed-service.js');
  checkRoutedFlags(options);
  const attributes = await attributesOf(options.searchAttribute ?? []);
  const { metricsPort } = options;
  const database = await databaseOf(options);
  const { serveMetrics } = await import('./metrics.js');
  const metrics = metricsPort === undefined ? undefined : await serveMetrics(options.ip, metricsPort);
  const configured = { ...database, dynamicConfig: dynamicConfigOf(options.dynamicConfigValue ?? []) };
  const { own, served, close } =
    options.routed === true ? await openRoutedService(configured, options) : await openOwnService(configured);
  try {
    await register(own, options.namespace ?? [], attributes);
    const gateway = await startGateway({
      service: served,
      host: options.ip,
      port: options.port,
      ...security,
      onFault: (method, error) => log(`${method} failed: ${(error as Error | null)?.stack ?? String(error)}`),
    });
    announce(gateway, metrics?.address, options);
    await stopped();
    log('Stopping: polls end, calls under way get a moment.');
    await gateway.close();
  } finally {
    await close();
    await metrics?.close();
  }
}

/** Flags, then the environment, then the profile if one is asked for. */
async function databaseOf(options: ServerOptions): Promise<DatabaseOptions> {
  const { db, schema, maxConnections, listen, profile, configFile } = options;
  let fromProfile: DatabaseOptions = {};
  if (profile !== undefined || configFile !== undefined) {
    const { loadClientConfigProfile } = await import('../envconfig/index.js');
    const { postgres } = loadClientConfigProfile({
      ...(profile === undefined ? {} : { profile }),
      ...(configFile === undefined ? {} : { configSource: { path: configFile } }),
    });
    if (postgres === undefined) {
      throw new BranchlineError(
        'BRANCHLINE_PROFILE',
        `Profile '${profile ?? 'default'}' has no [profile.….postgres] table.`,
      );
    }
    fromProfile = postgres;
  }
  return {
    ...fromProfile,
    ...(db === undefined ? {} : { url: db }),
    ...(schema === undefined ? {} : { schema }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(listen ? {} : { listen }),
  };
}

async function openOwnService(database: DatabaseOptions): Promise<Served> {
  const { openService } = await import('../service/index.js');
  const { serviceOptions, storeOptions } = await import('../service/connect-options.js');
  const own = await openService({ ...serviceOptions(database), ...storeOptions(database) });
  return { own, served: own, close: () => own.close() };
}

function securityOf({ tlsCert, tlsKey, tlsCa, apiKey }: ServerOptions): Security {
  if ((tlsCert === undefined) !== (tlsKey === undefined) || (tlsCa !== undefined && tlsCert === undefined)) {
    throw new BranchlineError('BRANCHLINE_GATEWAY_TLS', 'TLS needs both --tls-cert and --tls-key.');
  }
  return {
    ...(tlsCert !== undefined && tlsKey !== undefined
      ? {
          tls: {
            cert: readPem('--tls-cert', tlsCert),
            key: readPem('--tls-key', tlsKey),
            ...(tlsCa === undefined ? {} : { clientCa: readPem('--tls-ca', tlsCa) }),
          },
        }
      : {}),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new BranchlineError('BRANCHLINE_GATEWAY_TLS', `${option}: ${(error as Error).message}`, { cause: error });
  }
}

/** Namespaces that are missing, and the search attributes in each of the named ones (none named: in `default`). */
async function register(service: Service, names: string[], attributes: Record<string, number>): Promise<void> {
  const { Code, ServiceError } = await import('../service/errors.js');
  for (const name of names) {
    await service
      .call(
        'registerNamespace',
        { namespace: name, workflowExecutionRetentionPeriod: { seconds: RETENTION_SECONDS } },
        { metadata: {} },
      )
      .catch((error: unknown) => {
        if (!(error instanceof ServiceError && error.code === Code.ALREADY_EXISTS)) throw error;
      });
  }
  if (Object.keys(attributes).length === 0) return;
  for (const name of names.length === 0 ? ['default'] : names) {
    await service.call('addSearchAttributes', { namespace: name, searchAttributes: attributes }, { metadata: {} });
  }
}

/** Name=Type pairs with the types as `temporal` writes them: Text, Keyword, Int, Double, Bool, Datetime, KeywordList. */
async function attributesOf(pairs: string[]): Promise<Record<string, number>> {
  const { ValueType } = await import('../service/visibility/attributes.js');
  const { typeName } = await import('../service/visibility/attributes.js');
  const types = new Map<string, number>();
  for (const type of Object.values(ValueType)) {
    if (typeof type === 'number' && type > 0) types.set(typeName(type).toLowerCase(), type);
  }
  const attributes: Record<string, number> = {};
  for (const pair of pairs) {
    const [, name, typeName] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    const type = types.get(typeName?.toLowerCase() ?? '');
    if (name === undefined || type === undefined) {
      throw new BranchlineError(
        'BRANCHLINE_SEARCH_ATTRIBUTE',
        `--search-attribute '${pair}' is not Name=Type with one of Text, Keyword, Int, Double, Bool, Datetime, KeywordList.`,
      );
    }
    attributes[name] = type;
  }
  return attributes;
}

function dynamicConfigOf(pairs: string[]): Record<string, number> {
  const config: Record<string, number> = {};
  for (const pair of pairs) {
    const [, key, value] = /^([^=]+)=(\d+)$/.exec(pair) ?? [];
    if (key === undefined) {
      throw new BranchlineError(
        'BRANCHLINE_DYNAMIC_CONFIG',
        `--dynamic-config-value '${pair}' is not KEY=VALUE with a whole number.`,
      );
    }
    config[key] = Number(value);
  }
  return config;
}

function announce(
  { address }: Gateway,
  metricsAddress: string | undefined,
  { output, maxConnections, apiKey, tlsCert, tlsCa }: ServerOptions,
): void {
  if (output === 'json') process.stdout.write(`${JSON.stringify({ address, metricsAddress })}\n`);
  else {
    process.stdout.write(`Server:  ${address}\n`);
    if (metricsAddress !== undefined) process.stdout.write(`Metrics: http://${metricsAddress}/metrics\n`);
  }
  const guards = [
    tlsCert === undefined ? 'no TLS' : tlsCa === undefined ? 'TLS' : 'mTLS',
    apiKey === undefined ? 'no API key' : 'API key',
  ];
  log(`Serving on ${address} (${guards.join(', ')}); at most ${maxConnections ?? 6} Postgres connections.`);
}

const log = (line: string): void => void process.stderr.write(`${line}\n`);

/** The first SIGINT or SIGTERM; a second one ends the process at once. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    for (const [signal, number] of [
      ['SIGINT', 2],
      ['SIGTERM', 15],
    ] as const) {
      process.on(signal, () => {
        if (asked) process.exit(128 + number);
        asked = true;
        resolve();
      });
    }
  });
}
