/** Options of `@temporalio/testing` about the server, which here is a Postgres: what is honoured, and what is refused. */
import type { temporal } from '@temporalio/proto';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Duration, SearchAttributeType } from '@temporalio/common';
import type { SearchAttributeKey } from '@temporalio/common/lib/search-attributes';
import { BranchlineOptionError } from '../common/errors';

/** Temporal's configuration of its CLI's development server. */
export interface DevServerConfig {
  type: 'dev-server';
  /** Nothing is downloaded and there is no other server: `existing-path` is refused. */
  executable?: EphemeralServerExecutable;
  /** Refused: give `postgres.url` to keep a database. */
  dbFilename?: string;
  /** Made when it does not exist. Default `default`. */
  namespace?: string;
  /** Refused, as are port, ui and uiPort: nothing listens. */
  ip?: string;
  port?: number;
  ui?: boolean;
  uiPort?: number;
  /** There is no server to log; errors reach the caller. */
  log?: { format: string; level: string };
  /** `--search-attribute Name=Type`, `--namespace`, and dynamic settings for what is always on here. */
  extraArgs?: string[];
  /** Registered in the namespace. */
  searchAttributes?: SearchAttributeKey<SearchAttributeType>[];
}

/** Temporal's configuration of its time-skipping server. */
export interface TimeSkippingServerConfig {
  type: 'time-skipping';
  executable?: EphemeralServerExecutable;
  port?: number;
  extraArgs?: string[];
}

export type EphemeralServerExecutable =
  | { type: 'cached-download'; downloadDir?: string; version?: string; ttl?: Duration }
  | { type: 'existing-path'; path: string };

/** What is left to do once connected. */
export interface ServerSetup {
  namespace: string;
  searchAttributes: Record<string, temporal.api.enums.v1.IndexedValueType>;
}

const types: Record<string, temporal.api.enums.v1.IndexedValueType> = {
  Text: 1,
  Keyword: 2,
  Int: 3,
  Double: 4,
  Bool: 5,
  Datetime: 6,
  KeywordList: 7,
};

/** Switches of Temporal's server whose `true` is what Branchline does anyway. */
const alwaysOn = new Set([
  'system.enableActivityEagerExecution',
  'system.enableEagerWorkflowStart',
  'system.forceSearchAttributesCacheRefreshOnRead',
  'frontend.enableUpdateWorkflowExecution',
  'frontend.enableUpdateWorkflowExecutionAsyncAccepted',
  'frontend.enableExecuteMultiOperation',
  'history.enableChasm',
  'history.enableRequestIdRefLinks',
  'history.enableTransitionHistory',
]);

/** @throws BranchlineOptionError for what has no meaning without a server process */
export function serverSetup(server: Omit<DevServerConfig, 'type'> & { type?: string } = {}): ServerSetup {
  for (const name of ['ip', 'port', 'uiPort'] as const) {
    refuse(`server.${name}`, server[name] !== undefined, 'nothing listens: connect to Postgres, or run the gateway.');
  }
  refuse('server.ui', server.ui === true, 'there is no server to show: run the web interface on the database.');
  refuse('server.dbFilename', server.dbFilename !== undefined, 'give `postgres: { url }` to keep a database.');
  refuse(
    'server.executable',
    server.executable !== undefined && server.executable.type !== 'cached-download',
    'there is no server program; remove it.',
  );
  const setup: ServerSetup = { namespace: server.namespace ?? 'default', searchAttributes: {} };
  for (const { name, type } of server.searchAttributes ?? []) {
    setup.searchAttributes[name] = types[metadataName(type)]!;
  }
  applyArguments(setup, server.extraArgs ?? []);
  return setup;
}

/** KEYWORD_LIST is Temporal's name in code, KeywordList the one in commands. */
const metadataName = (type: SearchAttributeType): string => TypedSearchAttributes.toMetadataType(type);

function applyArguments(setup: ServerSetup, args: readonly string[]): void {
  const rest = args.flatMap((arg) => (/^--[a-z-]+=/.test(arg) ? splitOnce(arg) : [arg]));
  while (rest.length > 0) {
    const [flag, value = ''] = rest.splice(0, 2);
    const [name, assigned = ''] = splitOnce(value);
    if (flag === '--search-attribute' && types[assigned] !== undefined) setup.searchAttributes[name] = types[assigned];
    else if (flag === '--namespace' && value !== '') setup.namespace = value;
    else if (flag === '--dynamic-config-value' && alwaysOn.has(name) && assigned === 'true') continue;
    else {
      throw new BranchlineOptionError('server.extraArgs', `'${flag} ${value}' means a server process; remove it.`);
    }
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function refuse(option: string, given: boolean, advice: string): void {
  if (given) throw new BranchlineOptionError(option, advice);
}
