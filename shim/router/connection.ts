/** `RoutedConnection`: a connection for Temporal's client that reaches several engines. */
import {
  type ConnectionLike,
  type ConnectionPlugin,
  type Metadata,
  OperatorService,
  WorkflowService,
} from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { type MessageType } from '../client/rpc-caller';
import { rpcService } from '../client/rpc-services';
import { Engines } from './engines';
import { Code, isStatus } from './errors';
import { Lists } from './lists';
import { LoadGuard } from './load/load-guard';
import { stderrLogger } from './log';
import { Namespaces } from './namespaces';
import { type RoutedConnectionOptions, openEngines } from './options';
import { Owners } from './owners';
import { clientParity } from './payloads/client';
import type { Parity } from './payloads/parity';
import { Reconciler } from './reconciler';
import { Router, type StartChild } from './router';
import type { StartRequest } from './routes/facts';
import { type RouteSource, openRoutes } from './routes/source';
import { StandInSweeper } from './across/sweeper';
import { ScheduleMoves } from './schedule-moves/moves';
import { Starts } from './starts';
import { timely } from './timely';

const GRACE_MS = 60_000;
/** How long connecting waits for engines other than the home one, which may be down. */
const REACH_MS = 5000;

/**
 * A connection over several engines, for `Client` and everything on it:
 *
 * ```ts
 * const connection = await RoutedConnection.connect({
 *   temporal: { address: 'temporal:7233' },
 *   postgres: { url: 'postgres://localhost/app' },
 *   routes: { rules: [{ name: 'signup', workflowType: 'signup', percentage: 10, engine: 'postgres' }] },
 * });
 * const client = new Client({ connection });
 * ```
 * New workflows start where the routes say; each id has one engine, and calls about it reach that engine.
 */
export class RoutedConnection implements ConnectionLike {
  readonly workflowService: WorkflowService;
  readonly operatorService: OperatorService;
  readonly plugins: ConnectionPlugin[] = [];

  private closing: Promise<void> | undefined;

  /**
   * Connects to the home Postgres; other engines may be down, and are then warned of.
   * @throws RoutesError and BranchlineError for options and routes that cannot be taken; ServiceError when the home Postgres cannot be reached
   */
  static async connect(
    options: RoutedConnectionOptions,
    /** @internal `settles`: false for a command, whose engines an operator has named by hand: it settles nothing for the application's processes. */
    { settles = true } = {},
  ): Promise<RoutedConnection> {
    const { engines: list, home, homeConnection, own } = openEngines(options);
    const logger = options.logger ?? stderrLogger;
    let routes: RouteSource | undefined;
    let parity: Parity | undefined;
    let load: LoadGuard | undefined;
    try {
      await homeConnection.ensureConnected();
      const { store } = (await homeConnection.service()).parts;
      const engines = new Engines(list);
      routes = await openRoutes(options.routes, {
        store,
        engines: engines.names,
        home,
        hasTenantFunction: options.tenant !== undefined,
        logger,
      });
      const inForce = routes;
      const namespaces = new Namespaces(engines, () => inForce.current, logger);
      await Promise.all([
        ...list.map((engine) => reach(engine.name, engine.connection, logger)),
        namespaces.lookAtNamed(),
      ]);
      parity = clientParity(options.dataConverter, store, inForce, logger);
      load = new LoadGuard({ store, routes: () => inForce.current, latency: options.latency, logger });
      // What is not known in time is known later: a codec may wait for its key service.
      await timely(Promise.all([parity.start(), load.start()])).catch(() => undefined);
      const graceMs = options.graceMs ?? GRACE_MS;
      const owners = new Owners(engines, store.routing);
      const stopListening = store.onNotice((notice) => owners.heard(notice));
      const { processId } = store;
      const starts = new Starts({ engines, store: store.routing, owners, logger, processId, graceMs });
      const reconciler = new Reconciler({ store: store.routing, owners, starts, logger, graceMs });
      if (settles) reconciler.start();
      const scheduleMoves = new ScheduleMoves({
        engines,
        store: store.scheduleMoves,
        routing: store.routing,
        owners,
        logger,
        processId,
        now: () => store.nowMs(),
      });
      scheduleMoves.start();
      const standIns = new StandInSweeper(engines, store.standIns, logger);
      if (settles) standIns.start();
      const router = new Router({
        engines,
        routes,
        tenant: options.tenant,
        owners,
        starts,
        lists: new Lists(engines, scheduleMoves),
        scheduleMoves,
        standIns: store.standIns,
        namespaces,
        parity,
        load,
        home,
        now: () => store.nowMs(),
      });
      return new this({
        engines,
        routes,
        owners,
        starts,
        reconciler,
        scheduleMoves,
        standIns,
        router,
        parity,
        load,
        own,
        stopListening,
      });
    } catch (error) {
      routes?.close();
      await parity?.close();
      await load?.close();
      for (const connection of own) await connection.close().catch(() => undefined);
      throw error;
    }
  }

  private constructor(
    private readonly parts: {
      engines: Engines;
      routes: RouteSource;
      owners: Owners;
      starts: Starts;
      reconciler: Reconciler;
      scheduleMoves: ScheduleMoves;
      standIns: StandInSweeper;
      router: Router;
      parity: Parity;
      load: LoadGuard;
      own: ConnectionLike[];
      stopListening: () => void;
    },
  ) {
    const caller = {
      call: async (method: string, responseType: MessageType, request: object) =>
        responseType.fromObject(await parts.router.call(method, request)),
    };
    this.workflowService = rpcService<WorkflowService>(WorkflowService, caller);
    this.operatorService = rpcService<OperatorService>(OperatorService, caller);
  }

  /** Names of the engines. */
  get engines(): string[] {
    return this.parts.engines.names;
  }

  /** The engine's own connection, for what is not routed. @throws ServiceError for a name that there is not */
  engine(name: string): ConnectionLike {
    return this.parts.engines.get(name).connection;
  }

  /** The engine that has a workflow's id (or a schedule's); undefined = none. */
  async engineOf(
    namespace: string,
    id: string,
    kind: 'workflow' | 'schedule' = 'workflow',
  ): Promise<string | undefined> {
    return (await this.parts.owners.look({ namespace, kind, id }))?.engine;
  }

  /** @internal Where a child goes by the routes; undefined = it stays with its parent. */
  engineOfChild(start: StartRequest, more: () => Promise<StartRequest>): Promise<string | undefined> {
    return this.parts.router.engineOfChild(start, more);
  }

  /** @internal Starts a child on `engine`, where the run `stub` stands for it on another one; answers the run id. */
  startChild(engine: string, request: StartChild, stub: { runId: string; engine: string }): Promise<string> {
    return this.parts.router.startChild(engine, request, stub);
  }

  /** Version of the stored routes in force; 0 = none were stored, or they are not. */
  get routesVersion(): number {
    return this.parts.routes.version;
  }

  /** Takes stored or file routes that changed, without waiting for word of it; answers the version in force (0 = not stored). */
  async refreshRoutes(): Promise<number> {
    await this.parts.routes.refresh();
    return this.parts.routes.version;
  }

  /** Reads the payloads of clients and workers anew, as is done from time to time. */
  async checkPayloads(): Promise<void> {
    await this.parts.parity.look();
  }

  /** Looks at the load of the home Postgres, or what another process saw of it, as is done from time to time. */
  async checkLoad(): Promise<void> {
    await this.parts.load.look();
  }

  /** Handing schedules over from engine to engine. */
  get scheduleMoves(): ScheduleMoves {
    return this.parts.scheduleMoves;
  }

  /** Asks the engines after starts that were left open, as is done from time to time. */
  async reconcile(): Promise<void> {
    await Promise.all([this.parts.reconciler.look(), this.parts.standIns.look(0)]);
  }

  ensureConnected(): Promise<void> {
    return Promise.resolve();
  }

  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.parts.engines.withDeadline(deadline, fn);
  }

  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.parts.engines.withAbortSignal(abortSignal, fn);
  }

  /** For all engines: their API keys belong into their own connections. */
  withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    return this.parts.engines.withMetadata(metadata, fn);
  }

  /** Closes the connections that were made from options; those that were given stay open. */
  close(): Promise<void> {
    return (this.closing ??= this.closeOnce());
  }

  private async closeOnce(): Promise<void> {
    const { routes, starts, reconciler, scheduleMoves, standIns, parity, load, own, stopListening } = this.parts;
    routes.close();
    stopListening();
    // Postgres may be away: what could not be written is made up for by whoever looks next.
    const ends = [
      scheduleMoves.close(),
      standIns.close(),
      parity.close(),
      load.close(),
      reconciler.close(),
      starts.close(),
    ];
    await Promise.all(ends.map((end) => timely(end).catch(() => undefined)));
    for (const connection of own) await connection.close();
  }
}

async function reach(name: string, connection: ConnectionLike, logger: Logger): Promise<void> {
  try {
    await connection.withDeadline(Date.now() + REACH_MS, () => connection.workflowService.getSystemInfo({}));
  } catch (error) {
    if (!isStatus(error, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED)) throw error;
    logger.warn(`Engine '${name}' is out of reach`, { code: 'BRANCHLINE_ROUTER_ENGINE_AWAY', error });
  }
}
