/** `NativeConnection`: a worker's connection to Postgres. It shares pool and service with the client's connections of the process. */
import type {
  CallContext,
  ConnectionLike,
  HealthService,
  Metadata,
  OperatorService,
  TestService,
  WorkflowService,
} from '@temporalio/client';
import { InternalConnectionLikeSymbol, ServiceError } from '@temporalio/client';
import { IllegalStateError } from '@temporalio/common';
import type { Duration } from '@temporalio/common/lib/time';
import type { AsyncLocalStorage } from 'node:async_hooks';
import { Connection, type ConnectionOptions } from '../client/connection';
import { BranchlineOptionError } from '../common/errors';
import type { DatabaseOptions } from '../service/connect-options';
import type { Service } from '../service/types';
import { TransportError } from './errors';
import { MeteredRpc } from './metrics/metered-rpc';
import type { Rpc } from './polling/rpc';
import { Runtime } from './runtime';

/** Where the database is; options of Temporal's that mean a network are refused by name. */
export interface NativeConnectionOptions extends DatabaseOptions {
  tls?: object | boolean | null;
  proxy?: object;
  dnsLoadBalancingConfig?: DNSLoadBalancingConfig | null;
  grpcCompression?: GrpcCompressionConfig;
  /** Sent with each call, as gRPC metadata would be. */
  metadata?: Metadata;
  apiKey?: string;
  /** Metrics of failed calls go without the label `status_code`. Default false. */
  disableErrorCodeMetricTags?: boolean;
  payloadLimits?: { payloadsWarnSize?: number; memoWarnSize?: number };
  plugins?: NativeConnectionPlugin[];
}

export type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow';

export interface DNSLoadBalancingConfig {
  resolutionInterval: Duration;
}

export type GrpcCompressionConfig = { codec: 'gzip' } | { codec: 'none' };

export interface NativeConnectionPlugin {
  get name(): string;
  configureNativeConnection?(options: NativeConnectionOptions): NativeConnectionOptions;
}

export class NativeConnection implements ConnectionLike {
  private readonly holders = new Set<object>();
  /** A client on this connection may ask for an eager start. */
  readonly [InternalConnectionLikeSymbol] = { supportsEagerStart: true };

  protected constructor(
    private readonly inner: Connection,
    /** @internal */
    readonly rpc: Rpc,
    private readonly services: Pick<Connection, 'workflowService' | 'operatorService'>,
    private readonly runtime: Runtime,
    readonly plugins: NativeConnectionPlugin[],
  ) {}

  /**
   * Connect, and bring the tables up to date.
   * @throws TransportError when the database cannot be reached; BranchlineOptionError for options that mean a network;
   *   BranchlineError BRANCHLINE_METRICS_BIND when the runtime's metrics cannot be served
   */
  static async connect(options: NativeConnectionOptions = {}): Promise<NativeConnection> {
    for (const plugin of options.plugins ?? []) {
      if (plugin.configureNativeConnection !== undefined) options = plugin.configureNativeConnection(options);
    }
    const { plugins = [], proxy, dnsLoadBalancingConfig, grpcCompression, payloadLimits, ...rest } = options;
    refuse('proxy', proxy !== undefined);
    refuse('dnsLoadBalancingConfig', dnsLoadBalancingConfig != null);
    refuse('grpcCompression', grpcCompression !== undefined && grpcCompression.codec !== 'none');
    if (payloadLimits !== undefined) {
      throw new BranchlineOptionError('payloadLimits', 'sizes are judged by the service; remove it.');
    }
    const { disableErrorCodeMetricTags = false, ...connectionOptions } = rest;
    const runtime = Runtime.instance();
    connectionOptions.logger ??= runtime.logger;
    const connecting = {};
    runtime.register(connecting);
    try {
      const { metrics } = runtime;
      await metrics?.exporter.ready();
      const inner = await Connection.connect(connectionOptions as ConnectionOptions);
      const service = await inner.service();
      const rpc = metrics && new MeteredRpc(service, metrics.requests, !disableErrorCodeMetricTags);
      const calls = rpc && inner.callsTo(rpc);
      const connection = new this(inner, rpc ?? service, calls ?? inner, runtime, plugins);
      runtime.register(connection);
      return connection;
    } catch (error) {
      if (error instanceof ServiceError) throw Object.assign(new TransportError(error.message), { cause: error });
      throw error;
    } finally {
      await runtime.deregister(connecting);
    }
  }

  /** @deprecated Use {@link NativeConnection.connect}. */
  static create(options?: NativeConnectionOptions): Promise<NativeConnection> {
    return this.connect(options);
  }

  /** @internal */
  service(): Promise<Service> {
    return this.inner.service();
  }

  get workflowService(): WorkflowService {
    return this.services.workflowService;
  }

  get operatorService(): OperatorService {
    return this.services.operatorService;
  }

  get healthService(): HealthService {
    return this.inner.healthService;
  }

  get testService(): TestService | undefined {
    return this.inner.testService;
  }

  get callContextStorage(): AsyncLocalStorage<CallContext> {
    return this.inner.callContextStorage;
  }

  /** Connected since it was made. */
  ensureConnected(): Promise<void> {
    return Promise.resolve();
  }

  /** Calls made in `fn` fail with DEADLINE_EXCEEDED after that point in time (Date or ms since the epoch). */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.inner.withDeadline(deadline, fn);
  }

  withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    return this.inner.withMetadata(metadata, fn);
  }

  /** Calls made in `fn` end with CANCELLED when the signal aborts. */
  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.inner.withAbortSignal(abortSignal, fn);
  }

  /** Refused: there are no API keys. */
  setApiKey(_apiKey: string): Promise<void> {
    return Promise.reject(new BranchlineOptionError('apiKey', 'put user and password into the Postgres URL.'));
  }

  /** Refused: metadata is set when connecting, or per call by {@link NativeConnection.withMetadata}. */
  setMetadata(_metadata: Metadata): Promise<void> {
    return Promise.reject(new BranchlineOptionError('metadata', 'give it to connect, or use withMetadata.'));
  }

  /**
   * Give the connection back; the last one of the process closes the pool.
   * @throws IllegalStateError while workers use it
   */
  async close(): Promise<void> {
    if (this.holders.size > 0) {
      throw new IllegalStateError('Cannot close connection while Workers hold a reference to it');
    }
    await this.inner.close();
    await this.runtime.deregister(this);
  }

  /** @internal */
  addHolder(worker: object): void {
    this.holders.add(worker);
  }

  /** @internal */
  removeHolder(worker: object): void {
    this.holders.delete(worker);
  }
}

function refuse(option: string, given: boolean): void {
  if (given) throw new BranchlineOptionError(option, 'there is no gRPC channel; remove it.');
}

/** The service behind a connection. @throws TypeError for connections that are not Branchline's */
export function rpcOf(connection: NativeConnection): Rpc {
  if (connection.rpc === undefined) {
    throw new TypeError("WorkerOptions.connection must be a NativeConnection of 'branchline/worker'");
  }
  return connection.rpc;
}
