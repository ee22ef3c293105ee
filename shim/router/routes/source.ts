/** The routes in force in this process: given in code, read from a file, or stored in Postgres; the latter two change while it runs. */
import { readFile } from 'node:fs/promises';
import { unwatchFile, watchFile } from 'node:fs';
import type { Logger } from '@temporalio/common';
import { BranchlineError } from '../../common/branchline-error';
import type { Store } from '../../store/types';
import { type Routes, type RoutesInput, parseRoutes } from './schema';

/** Routes in code, or a JSON file with them. */
export type RoutesOption = RoutesInput | { file: string };

/** A notice that was lost is made up for after that time, ms. */
const LOOK_EVERY_MS = 5000;
const FILE_LOOK_MS = 1000;

export interface RouteSource {
  readonly current: Routes;
  /** Of stored routes; 0 = none were stored yet. */
  readonly version: number;
  /** Looks at once. */
  refresh(): Promise<void>;
  close(): void;
}

interface Setting {
  store: Pick<Store, 'routing' | 'onNotice'>;
  engines: string[];
  home: string;
  /** Is there a function that finds tenants? */
  hasTenantFunction: boolean;
  logger: Logger;
}

/** @throws RoutesError, BranchlineError BRANCHLINE_ROUTES_FILE, BRANCHLINE_ROUTES_ENGINE, BRANCHLINE_ROUTES_TENANT */
export async function openRoutes(option: RoutesOption | undefined, setting: Setting): Promise<RouteSource> {
  const take = (input: unknown): Routes => check(parseRoutes(input), setting);
  if (option === undefined) return stored(setting, take);
  if ('file' in option) return fromFile(option.file, setting, take);
  const current = take(withEngines(option, setting));
  return { current, version: 0, refresh: () => Promise.resolve(), close: () => undefined };
}

/** Routes that name no engines may name those of the connection. */
const withEngines = (input: unknown, { engines }: Setting): unknown =>
  typeof input === 'object' && input !== null && !('engines' in input) ? { engines, ...input } : input;

/** What the routes ask for must be in this process. */
function check(routes: Routes, { engines, home, hasTenantFunction }: Setting): Routes {
  const { guard } = routes;
  for (const engine of [routes.default, ...routes.rules.map(({ engine }) => engine), ...(guard ? [guard.to] : [])]) {
    if (engines.includes(engine)) continue;
    throw new BranchlineError(
      'BRANCHLINE_ROUTES_ENGINE',
      `The routes send workflows to engine '${engine}', which this connection was not given: it has ${engines.join(', ')}.`,
    );
  }
  if (guard !== undefined && guard.from !== home) {
    throw new BranchlineError(
      'BRANCHLINE_ROUTES_ENGINE',
      `The load guard of the routes watches engine '${guard.from}': it can only watch the home engine, which is '${home}'.`,
    );
  }
  if (routes.tenant === 'function' && !hasTenantFunction) {
    throw new BranchlineError(
      'BRANCHLINE_ROUTES_TENANT',
      "The routes find tenants by a function: give option 'tenant' to RoutedConnection.connect.",
    );
  }
  return routes;
}

/** Routes that came while this process runs and cannot be taken leave the ones before them in force. */
function refused(what: string, error: unknown, logger: Logger): void {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | null)?.code;
  logger.error(`${what} cannot be taken; those before them stay in force. ${message}`, { code, error });
}

async function stored(setting: Setting, take: (input: unknown) => Routes): Promise<RouteSource> {
  const { store, logger } = setting;
  const first = await store.routing.routes();
  // Before any were stored everything stays where it is.
  let current = take(first?.routes ?? withEngines({ default: defaultEngine(setting) }, setting));
  let version = first?.version ?? 0;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const newest = await store.routing.routes();
    if (newest === null || newest.version <= version) return;
    version = newest.version;
    try {
      current = take(newest.routes);
      logger.info(`Routes ${version} are in force`, { changedBy: newest.changedBy, reason: newest.reason });
    } catch (error) {
      refused(`Routes ${version}`, error, logger);
    }
  };
  // One look at a time; one that is asked for meanwhile comes after it.
  const refresh = (): Promise<void> => (looking = (looking ?? Promise.resolve()).catch(() => undefined).then(look));
  const lookAgain = (): void => {
    refresh().catch((error: unknown) => logger.warn('The routes could not be looked at', { error }));
  };
  const stopListening = store.onNotice(({ kind }) => {
    if (kind === 'routes' || kind === 'missed') lookAgain();
  });
  const timer = setInterval(lookAgain, LOOK_EVERY_MS);
  timer.unref();
  return {
    get current() {
      return current;
    },
    get version() {
      return version;
    },
    refresh,
    close: () => {
      clearInterval(timer);
      stopListening();
    },
  };
}

const defaultEngine = ({ engines }: Setting): string =>
  engines.includes('temporal') ? 'temporal' : (engines[0] ?? 'postgres');

async function fromFile(file: string, setting: Setting, take: (input: unknown) => Routes): Promise<RouteSource> {
  const read = async (): Promise<Routes> => {
    let input: unknown;
    try {
      input = JSON.parse(await readFile(file, 'utf8'));
    } catch (error) {
      throw new BranchlineError('BRANCHLINE_ROUTES_FILE', `${file}: ${(error as Error).message}`, { cause: error });
    }
    return take(withEngines(input, setting));
  };
  let current = await read();
  const refresh = async (): Promise<void> => {
    try {
      current = await read();
      setting.logger.info(`Routes of ${file} are in force`);
    } catch (error) {
      refused(`Routes of ${file}`, error, setting.logger);
    }
  };
  const changed = (): void => void refresh();
  // By looking at its time: editors and deploys replace files, which watchers of inodes miss.
  watchFile(file, { interval: FILE_LOOK_MS, persistent: false }, changed);
  return {
    get current() {
      return current;
    },
    version: 0,
    refresh,
    close: () => unwatchFile(file, changed),
  };
}
