/** Options of a routed connection, and the engines made of them. */
import {
  type ConnectionLike,
  type ConnectionOptions as TemporalConnectionOptions,
  Connection as TemporalConnection,
} from '@temporalio/client';
import type { DataConverter, LoadedDataConverter, Logger } from '@temporalio/common';
import { Connection, type ConnectionOptions } from '../client/connection';
import { BranchlineError, BranchlineOptionError } from '../common/errors';
import type { Engine } from './engines';
import type { LatencyFunction } from './load/load-guard';
import type { TenantFunction } from './routes/facts';
import type { RoutesOption } from './routes/source';

/** One engine: a connection (which stays the caller's to close), or the options of one. */
export type EngineOptions = (
  { temporal: ConnectionLike | TemporalConnectionOptions } | { postgres: Connection | ConnectionOptions }
) & {
  /** Namespace there, in place of the one that the client names. */
  namespace?: string;
  /**
   * Whether workflows may be started there by others than routed connections: clients and services that do not know the router, children,
   * schedules. Default true. False saves a question to this engine for each new id, and is only safe when it is true.
   */
  startedElsewhere?: boolean;
};

export interface RoutedConnectionOptions {
  /** Engine `temporal`: a connection to a Temporal server, or its options. */
  temporal?: ConnectionLike | TemporalConnectionOptions;
  /** Engine `postgres`: our Connection, or its options. */
  postgres?: Connection | ConnectionOptions;
  /** More engines by name, or these two with more to say about them. */
  engines?: Record<string, EngineOptions>;
  /** Engine whose Postgres keeps the routes and who has which id; the same in all processes. Default: `postgres`, else the first on Postgres. */
  home?: string;
  /** Routes in code or in a JSON file. Left out: those stored by `branchline route`, which change without a deploy. */
  routes?: RoutesOption;
  /** Finds the tenant of a start, for routes whose `tenant` is 'function'. */
  tenant?: TenantFunction;
  /**
   * The data converter of the clients on this connection (give it to them as well). With it the connection takes part in the check that clients and the workers of
   * createWorkers read each other's payloads; `{}` = Temporal's default one. Left out: it heeds what the workers found among themselves.
   */
  dataConverter?: DataConverter | LoadedDataConverter;
  /** What the load guard takes for the application's latency (`guard.budgets.latencyMs` of the routes), ms: asked by one process at a time. */
  latency?: LatencyFunction;
  /** A start without an answer is asked after when it is that old, ms. Default 60,000; longer than any start may be on the way. */
  graceMs?: number;
  /** Default: to stderr, warnings and errors. */
  logger?: Logger;
}

const KNOWN: Record<keyof RoutedConnectionOptions, true> = {
  temporal: true,
  postgres: true,
  engines: true,
  home: true,
  routes: true,
  tenant: true,
  dataConverter: true,
  latency: true,
  graceMs: true,
  logger: true,
};
const KNOWN_OF_ENGINE = new Set(['temporal', 'postgres', 'namespace', 'startedElsewhere']);
const LEAST_GRACE_MS = 100;

export interface OpenedEngines {
  engines: Engine[];
  home: string;
  homeConnection: Connection;
  /** Connections that were made here. */
  own: ConnectionLike[];
}

/** @throws BranchlineOptionError, BranchlineError BRANCHLINE_ROUTER_ENGINES */
export function openEngines(options: RoutedConnectionOptions): OpenedEngines {
  for (const name of Object.keys(options)) {
    if (!(name in KNOWN))
      throw new BranchlineOptionError(name, `RoutedConnection takes ${Object.keys(KNOWN).join(', ')}.`);
  }
  if (options.graceMs !== undefined && !(options.graceMs >= LEAST_GRACE_MS)) {
    throw new BranchlineOptionError('graceMs', `it is ${options.graceMs}; give at least ${LEAST_GRACE_MS}.`);
  }
  const named: [string, EngineOptions][] = [];
  if (options.temporal !== undefined) named.push(['temporal', { temporal: options.temporal }]);
  if (options.postgres !== undefined) named.push(['postgres', { postgres: options.postgres }]);
  for (const [name] of named) {
    if (options.engines?.[name] === undefined) continue;
    throw new BranchlineOptionError(name, `it is among the 'engines' as well: give one of them.`);
  }
  named.push(...Object.entries(options.engines ?? {}));
  const own: ConnectionLike[] = [];
  const engines = named.map(([name, engine]) => openEngine(name, engine, own));
  const home =
    options.home === undefined
      ? (engines.find(({ name }) => name === 'postgres') ?? engines.find(({ kind }) => kind === 'postgres'))
      : engines.find(({ name, kind }) => name === options.home && kind === 'postgres');
  if (home === undefined) {
    throw new BranchlineError(
      'BRANCHLINE_ROUTER_ENGINES',
      options.home === undefined
        ? 'A routed connection needs an engine on Postgres: that is where it keeps which engine has which id.'
        : `Option 'home' is '${options.home}', which is not the name of an engine on Postgres.`,
    );
  }
  return { engines, home: home.name, homeConnection: home.connection as Connection, own };
}

function openEngine(name: string, options: EngineOptions, own: ConnectionLike[]): Engine {
  const path = `engines.${name}`;
  for (const option of Object.keys(options)) {
    if (!KNOWN_OF_ENGINE.has(option)) {
      throw new BranchlineOptionError(`${path}.${option}`, `an engine takes ${[...KNOWN_OF_ENGINE].join(', ')}.`);
    }
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/.test(name)) {
    throw new BranchlineOptionError(path, 'use letters, digits and . _ : - in names of engines.');
  }
  const { namespace, startedElsewhere = true } = options;
  const rest = { name, startedElsewhere, ...(namespace === undefined ? {} : { namespace }) };
  if ('temporal' in options && 'postgres' in options) {
    throw new BranchlineOptionError(path, "give one of 'temporal' and 'postgres'.");
  }
  if ('postgres' in options) {
    const { postgres } = options;
    if (postgres instanceof Connection) return { ...rest, kind: 'postgres', connection: postgres };
    const connection = Connection.lazy(postgres);
    own.push(connection);
    return { ...rest, kind: 'postgres', connection };
  }
  if (!('temporal' in options)) throw new BranchlineOptionError(path, "give 'temporal' or 'postgres'.");
  const { temporal } = options;
  if ('workflowService' in temporal) return { ...rest, kind: 'temporal', connection: temporal };
  const connection = TemporalConnection.lazy(temporal);
  own.push(connection);
  return { ...rest, kind: 'temporal', connection };
}
