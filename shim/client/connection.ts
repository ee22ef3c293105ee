/** `Connection`: Temporal's class of that name, on Postgres. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type CallContext,
  type ConnectionLike,
  type ConnectionOptions as TemporalConnectionOptions,
  type ConnectionPlugin,
  type HealthService,
  type Metadata,
  OperatorService,
  ServiceError,
  TestService,
  WorkflowService,
} from '@temporalio/client';
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection';
import { type Duration, msOptionalToNumber } from '@temporalio/common/lib/time';
import { BranchlineError, BranchlineOptionError } from '../common/errors';
import { type DatabaseOptions, refuseNetworkOptions, serviceOptions, storeOptions } from '../service/connect-options';
import { ServiceError as ServiceStatus, Code } from '../service/errors';
import { type SharedService, acquireService } from '../service/shared';
import type { Service } from '../service/types';
import type { CallerConnection, StoreOptions } from '../store/types';
import { grpcError } from './grpc-error';
import { hold, letGo } from './process-hold';
import { RpcCaller } from './rpc-caller';
import { rpcService } from './rpc-services';
import { healthService } from './health-service';
import { TaskQueueLimits } from './task-queue-limits';

/**
 * Where the database is, and those of Temporal's connection options that make sense without a network.
 * `tls`, `credentials`, `apiKey` and the like are refused by name ({@link BranchlineOptionError}).
 */
export interface ConnectionOptions
  extends
    DatabaseOptions,
    Pick<
      TemporalConnectionOptions,
      'tls' | 'credentials' | 'callCredentials' | 'channelArgs' | 'interceptors' | 'apiKey'
    > {
  /** Sent with each call, as gRPC metadata would be. */
  metadata?: Metadata;
  /** How long {@link Connection.connect} tries. Default 10 s. */
  connectTimeout?: Duration;
  plugins?: ConnectionPlugin[];
}

const CONNECT_TIMEOUT_MS = 10_000;
const RETRY_PAUSE_MS = 250;

/** A connection of this process to Branchline's tables. Connections with the same database and schema share one pool. */
export class Connection implements ConnectionLike {
  /** Raw access to the RPCs. The namespace is not filled in. */
  readonly workflowService: WorkflowService;
  readonly operatorService: OperatorService;
  readonly healthService: HealthService;
  /** Of an environment that skips time (see branchline/testing); undefined elsewhere. */
  readonly testService: TestService | undefined;
  /** Branchline's own: limits per tenant. */
  readonly taskQueueLimits: TaskQueueLimits;
  readonly plugins: ConnectionPlugin[];
  readonly options: ConnectionOptions;
  readonly callContextStorage = new AsyncLocalStorage<CallContext>();

  private readonly store: StoreOptions & ReturnType<typeof serviceOptions>;
  /** Made by an environment that skips time. */
  private readonly skipsTime: boolean;
  private opening: Promise<SharedService> | undefined;
  private shared: SharedService | undefined;
  private connecting: Promise<void> | undefined;
  private closed = false;

  /** Connects, and brings the tables up to date; throws when that fails within `connectTimeout`. */
  static async connect(options?: ConnectionOptions): Promise<Connection> {
    const connection = this.lazy(options);
    try {
      await connection.ensureConnected();
    } catch (error) {
      // An attempt that is still under way is given up when it comes to an end.
      connection.close().catch(() => undefined);
      throw error;
    }
    return connection;
  }

  /** Connects with the first call. */
  static lazy(options: ConnectionOptions = {}): Connection {
    let configured = options;
    for (const plugin of options.plugins ?? []) {
      if (plugin.configureConnection !== undefined) {
        configured = plugin.configureConnection(configured as TemporalConnectionOptions) as ConnectionOptions;
      }
    }
    return new this(configured);
  }

  protected constructor(options: ConnectionOptions) {
    refuseNetworkOptions(options);
    this.options = options;
    this.store = { ...storeOptions(options), ...serviceOptions(options) };
    const internal = (options as { [InternalConnectionOptionsSymbol]?: { supportsTestService?: boolean } })[
      InternalConnectionOptionsSymbol
    ];
    this.skipsTime = internal?.supportsTestService === true;
    this.plugins = options.plugins ?? [];
    const caller = this.caller(() => this.shared?.service ?? this.open());
    this.workflowService = rpcService<WorkflowService>(WorkflowService, caller);
    this.operatorService = rpcService<OperatorService>(OperatorService, caller);
    this.testService = this.skipsTime ? rpcService<TestService>(TestService, caller) : undefined;
    this.taskQueueLimits = new TaskQueueLimits(caller);
    this.healthService = healthService(() => this.workflowService.getSystemInfo({}));
  }

  /** Done once; a failure is forgotten, so that a later call tries again. */
  async ensureConnected(): Promise<void> {
    this.connecting ??= this.reach().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  /** A point in time (Date or ms since the epoch) after which calls made in `fn` fail with DEADLINE_EXCEEDED. */
  async withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.callContextStorage.run({ ...this.callContextStorage.getStore(), deadline }, fn);
  }

  /** Calls made in `fn` end with CANCELLED when the signal aborts, and so do their waits in the service. */
  async withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.callContextStorage.run({ ...this.callContextStorage.getStore(), abortSignal }, fn);
  }

  /** Metadata for calls made in `fn`, merged over what is there. */
  async withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    const context = this.callContextStorage.getStore();
    return this.callContextStorage.run({ ...context, metadata: { ...context?.metadata, ...metadata } }, fn);
  }

  /** Refused: there are no API keys. */
  withApiKey<R>(_apiKey: string, _fn: () => Promise<R>): Promise<R> {
    return Promise.reject(noApiKey());
  }

  /** Refused: there are no API keys. */
  setApiKey(_apiKey: string | (() => string)): void {
    throw noApiKey();
  }

  /** Gives the connection back; the last one of the process closes the pool. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.shared = undefined;
    hold();
    try {
      await (await this.opening?.catch(() => undefined))?.release();
    } finally {
      letGo();
    }
  }

  /** @internal The services of this connection with their calls going through something before the service. */
  callsTo(service: Pick<Service, 'call'>): Pick<Connection, 'workflowService' | 'operatorService'> {
    const caller = this.caller(() => service);
    return {
      workflowService: rpcService<WorkflowService>(WorkflowService, caller),
      operatorService: rpcService<OperatorService>(OperatorService, caller),
    };
  }

  /**
   * A connection whose starts, signals (with start), updates that are not waited for, cancel requests, terminations and new schedules become part of the transaction that `tx` has: nothing of them is there before its
   * COMMIT, nothing after its ROLLBACK. `tx` is a client of `pg` (or what runs a text in another library's transaction) on the same database; transaction and connection stay the caller's. What only reads sees what
   * is committed; other calls are refused (BRANCHLINE_NOT_IN_TRANSACTION). See docs/transactions.md.
   */
  using(tx: CallerConnection): Connection {
    const joined = Object.create(this) as Connection;
    const calls = this.callsTo({
      call: async (method, request, ctx) => (await this.service()).callWithin(tx, method, request, ctx),
    });
    return Object.assign(joined, calls, { close: () => Promise.resolve() });
  }

  private caller(service: ConstructorParameters<typeof RpcCaller>[0]): RpcCaller {
    const metadata: Record<string, string> = {};
    for (const [name, value] of Object.entries(this.options.metadata ?? {})) {
      metadata[name.toLowerCase()] = String(value);
    }
    const retries = this.options.interceptors === undefined;
    return new RpcCaller(service, () => this.callContextStorage.getStore(), metadata, retries);
  }

  /** For the worker, which shares the service. */
  async service(): Promise<Service> {
    return this.shared?.service ?? this.open();
  }

  private async open(): Promise<Service> {
    if (this.closed) {
      throw new ServiceStatus(Code.CANCELLED, 'The connection was closed');
    }
    this.opening ??= acquireService({ ...this.store, ...(this.skipsTime ? { timeSkipping: true } : {}) }).catch(
      (error: unknown) => {
        this.opening = undefined;
        throw error;
      },
    );
    const shared = await this.opening;
    if (!this.closed) this.shared = shared;
    return shared.service;
  }

  private async reach(): Promise<void> {
    const until = Date.now() + (msOptionalToNumber(this.options.connectTimeout) ?? CONNECT_TIMEOUT_MS);
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      try {
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(
            () => {
              reject(new BranchlineError('BRANCHLINE_DATABASE_CONNECTION', 'Failed to connect before the deadline'));
            },
            Math.max(0, until - Date.now()),
          );
        });
        const opening = this.open();
        opening.catch(() => undefined);
        await Promise.race([opening, late]);
        return;
      } catch (error) {
        // Only an unreachable server may come up yet.
        if (isUnreachable(error) && Date.now() + RETRY_PAUSE_MS < until) {
          await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
          continue;
        }
        throw connectFailure(error);
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

const noApiKey = (): BranchlineOptionError =>
  new BranchlineOptionError(
    'apiKey',
    'there is no Temporal Cloud behind it; put user and password into the Postgres URL.',
  );

function isUnreachable(error: unknown): boolean {
  const cause = (error as { cause?: { code?: unknown } } | null)?.cause;
  const code = String(cause?.code ?? '');
  return ['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ETIMEDOUT', '57P03'].includes(code);
}

/** Temporal's class for "no server there"; what has a code of its own and another cause stays what it is. */
function connectFailure(error: unknown): unknown {
  if (error instanceof BranchlineError && error.code !== 'BRANCHLINE_DATABASE_CONNECTION') return error;
  const message = error instanceof Error ? error.message : String(error);
  const cause = grpcError(new ServiceStatus(Code.UNAVAILABLE, message, [], { cause: error }));
  return new ServiceError(`Failed to connect to Postgres: ${message}`, { cause });
}
