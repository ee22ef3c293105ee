/** Workers for several engines from one declaration: Temporal's own worker and ours on the same code, with one shutdown. */
import type { Logger } from '@temporalio/common';
import { Connection, type ConnectionOptions } from '../client/connection';
import { BranchlineError, BranchlineOptionError } from '../common/errors';
import { type AcrossOptions, withAcross } from './across/workers';
import { loaded, ownIdentity } from './payloads/client';
import { Parity } from './payloads/parity';
import { NativeConnection, type NativeConnectionOptions, Runtime, Worker, type WorkerOptions } from '../worker';
import { type OfficialWorkerPackage, officialWorkerPackage } from './official-worker';

/** Where a worker works: a connection (which stays the caller's to close), or the options of one. */
export type WorkerEngine = (
  | {
      /** A `NativeConnection` of `@temporalio/worker`, or its options (address, tls, apiKey …). */
      temporal: object;
    }
  | { postgres: NativeConnection | NativeConnectionOptions }
) & {
  /** Namespace there, in place of `namespace`. */
  namespace?: string;
};

/** Options of the workers, the same for all; and where they work. */
export interface CreateWorkersOptions extends Omit<WorkerOptions, 'connection'>, AcrossOptions {
  /** Engine `temporal`. */
  temporal?: object;
  /** Engine `postgres`. */
  postgres?: NativeConnection | NativeConnectionOptions;
  /** More engines by name, or these two with a namespace of their own. */
  engines?: Record<string, WorkerEngine>;
  /**
   * The Postgres of the routed connections, where the payloads of workers are held against those of others. Default: engine `postgres`, else the first on Postgres. Workers for
   * Temporal alone take part only when it is given.
   */
  home?: Connection | ConnectionOptions;
  /** For the runtimes of both packages; only before either has one. */
  logger?: Logger;
}

/** What the workers of both packages have in common. */
interface AnyWorker {
  run(): Promise<void>;
  shutdown(): void;
  getState(): string;
}

/** Options that only our worker has. */
const OURS = ['effectsJournal', 'maxCachedWorkflowBytes'] as const;

/**
 * Makes one worker for each engine. `@temporalio/worker` is loaded only when there is an engine on Temporal.
 *
 * ```ts
 * const workers = await createWorkers({ temporal: { address: 'temporal:7233' }, postgres: {}, taskQueue, workflowsPath, activities });
 * await workers.run();
 * ```
 * @throws BranchlineOptionError, BranchlineError BRANCHLINE_ROUTER_WORKER_PACKAGE when `@temporalio/worker` is not installed; what either worker throws
 */
export async function createWorkers(options: CreateWorkersOptions): Promise<RoutedWorkers> {
  const { temporal, postgres, engines = {}, home, logger, across, ...shared } = options;
  if ('connection' in options) {
    throw new BranchlineOptionError('connection', "say where the workers work by 'temporal', 'postgres' or 'engines'.");
  }
  const named: [string, WorkerEngine][] = [];
  if (temporal !== undefined) named.push(['temporal', { temporal }]);
  if (postgres !== undefined) named.push(['postgres', { postgres }]);
  for (const [name] of named) {
    if (name in engines) throw new BranchlineOptionError(name, "it is among the 'engines' as well: give one of them.");
  }
  named.push(...Object.entries(engines));
  if (named.length === 0) {
    throw new BranchlineError(
      'BRANCHLINE_ROUTER_ENGINES',
      "Say where the workers work: 'temporal', 'postgres' or 'engines'.",
    );
  }
  const converter = loaded(shared.dataConverter);
  const official = named.some(([, engine]) => 'temporal' in engine) ? await officialWorkerPackage() : undefined;
  if (logger !== undefined) {
    Runtime.install({ logger });
    official?.Runtime.install({ logger });
  }
  const workers = new Map<string, AnyWorker>();
  const homes = new Map<string, Connection | NativeConnection>();
  const own: { close(): Promise<void> }[] = [];
  try {
    for (const [name, engine] of named) {
      const { namespace = shared.namespace } = engine;
      const workerOptions = withAcross(across, name, { ...shared, ...(namespace === undefined ? {} : { namespace }) });
      workers.set(
        name,
        'postgres' in engine
          ? await ourWorker(engine.postgres, workerOptions, own, (connection) => homes.set(name, connection))
          : await officialWorker(official!, engine.temporal, workerOptions, own),
      );
    }
    const kept = home === undefined ? (homes.get('postgres') ?? [...homes.values()][0]) : await openHome(home, own);
    const parity =
      kept &&
      new Parity({
        store: (await kept.service()).parts.store,
        places: [...workers.keys()].map((engine) => ({
          engine,
          namespace: shared.namespace ?? 'default',
          taskQueue: shared.taskQueue,
        })),
        converter,
        identity: shared.identity ?? ownIdentity(),
        logger: logger ?? Runtime.instance().logger,
        // What it finds it writes down; what follows is for those who start.
        defaultEngine: () => '',
      });
    return new RoutedWorkers(workers, own, parity);
  } catch (error) {
    for (const connection of own) await connection.close().catch(() => undefined);
    throw error;
  }
}

async function openHome(given: Connection | ConnectionOptions, own: { close(): Promise<void> }[]): Promise<Connection> {
  if (given instanceof Connection) return given;
  const connection = await Connection.connect(given);
  own.push(connection);
  return connection;
}

async function ourWorker(
  given: NativeConnection | NativeConnectionOptions,
  options: WorkerOptions,
  own: { close(): Promise<void> }[],
  tell: (connection: NativeConnection) => void,
): Promise<AnyWorker> {
  const connection = given instanceof NativeConnection ? given : await NativeConnection.connect(given);
  if (connection !== given) own.push(connection);
  tell(connection);
  return Worker.create({ ...options, connection });
}

async function officialWorker(
  official: OfficialWorkerPackage,
  given: object,
  options: WorkerOptions,
  own: { close(): Promise<void> }[],
): Promise<AnyWorker> {
  const theirs = Object.fromEntries(Object.entries(options).filter(([name]) => !OURS.some((ours) => ours === name)));
  if (given instanceof official.NativeConnection) return official.Worker.create({ ...theirs, connection: given });
  const connection = await official.NativeConnection.connect(given);
  own.push(connection);
  return official.Worker.create({ ...theirs, connection });
}

/** Workers that run and stop together. */
export class RoutedWorkers {
  private running: Promise<void> | undefined;

  /** @internal */
  constructor(
    private readonly workers: Map<string, AnyWorker>,
    private readonly own: { close(): Promise<void> }[],
    private readonly parity: Parity | undefined,
  ) {}

  /** The state of each worker (`INITIALIZED`, `RUNNING` …) by engine. */
  get states(): Record<string, string> {
    return Object.fromEntries([...this.workers].map(([name, worker]) => [name, worker.getState()]));
  }

  /**
   * Runs until {@link shutdown}, or a signal that the runtimes heed (SIGINT, SIGTERM …). When one worker fails the others are shut down too.
   * Closes the connections that were made here.
   * @throws the first worker's error
   */
  run(): Promise<void> {
    return (this.running ??= this.runAll());
  }

  /** No more polls; `run` resolves when what is under way is done. */
  shutdown(): void {
    for (const worker of this.workers.values()) if (worker.getState() === 'RUNNING') worker.shutdown();
  }

  /** Runs while `fn` does. @throws the workers' error, else that of `fn` */
  async runUntil<R>(fn: () => Promise<R>): Promise<R> {
    const running = this.run();
    running.catch(() => undefined);
    try {
      return await Promise.race([fn(), running.then(() => Promise.reject(new Error('The workers were shut down.')))]);
    } finally {
      this.shutdown();
      await running;
    }
  }

  private async runAll(): Promise<void> {
    // Beside the work: a check must not keep workers from it.
    void this.parity?.start();
    const runs = [...this.workers.values()].map((worker) =>
      worker.run().catch((error: unknown) => {
        this.shutdown();
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(runs);
    await this.parity?.close();
    for (const connection of this.own) await connection.close();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
