/** `TestWorkflowEnvironment`: Temporal's class of that name, on a Postgres schema of its own. */
import type { AsyncCompletionClient, ClientPlugin, ConnectionPlugin, WorkflowClient } from '@temporalio/client';
import { InternalConnectionOptionsSymbol } from '@temporalio/client/lib/connection';
import { type Duration, msToNumber, msToTs, tsToMs } from '@temporalio/common/lib/time';
import type { temporal } from '@temporalio/proto';
import { Client } from '../client/client';
import { Connection, type ConnectionOptions } from '../client/connection';
import { NativeConnection, type NativeConnectionOptions, type NativeConnectionPlugin } from '../worker/connection';
import { type ClientOptionsForTestEnv, TimeSkippingClient } from './client';
import { createDatabase, type EnvironmentDatabase } from './environment-database';
import type { TestPostgresOptions } from './postgres-options';
import { type DevServerConfig, type ServerSetup, serverSetup, type TimeSkippingServerConfig } from './server-options';

type Plugins = (ClientPlugin | ConnectionPlugin | NativeConnectionPlugin)[];

/** Options of {@link TestWorkflowEnvironment.createLocal}. */
export type LocalTestWorkflowEnvironmentOptions = {
  server?: Omit<DevServerConfig, 'type'>;
  client?: ClientOptionsForTestEnv;
  plugins?: Plugins;
  postgres?: TestPostgresOptions;
};

/** Options of {@link TestWorkflowEnvironment.createTimeSkipping}. */
export type TimeSkippingTestWorkflowEnvironmentOptions = {
  server?: Omit<TimeSkippingServerConfig, 'type'>;
  client?: ClientOptionsForTestEnv;
  plugins?: Plugins;
  postgres?: TestPostgresOptions;
};

/** Refused by the connection where they mean a network: see NativeConnectionOptions. */
export type ExistingServerConnectionOptions = Pick<NativeConnectionOptions, 'apiKey' | 'metadata' | 'tls'>;

/** Options of {@link TestWorkflowEnvironment.createFromExistingServer}. */
export type ExistingServerTestWorkflowEnvironmentOptions = {
  /** A Postgres URL, such as the `address` of another environment. Default: BRANCHLINE_URL, DATABASE_URL, PG*. */
  address?: string;
  /** Default `default`. */
  namespace?: string;
  connectionOptions?: ExistingServerConnectionOptions;
  client?: ClientOptionsForTestEnv;
  plugins?: Plugins;
};

export type NexusEndpointIdentifier = {
  id: NonNullable<temporal.api.nexus.v1.IEndpoint['id']>;
  version: NonNullable<temporal.api.nexus.v1.IEndpoint['version']>;
  raw: temporal.api.nexus.v1.IEndpoint;
};

interface EnvironmentOptions {
  server: DevServerConfig | TimeSkippingServerConfig | { type: 'existing' };
  client: ClientOptionsForTestEnv;
  plugins: Plugins;
}

interface Parts {
  options: EnvironmentOptions;
  database: EnvironmentDatabase | undefined;
  address: string;
  namespace: string;
  connectionOptions: ExistingServerConnectionOptions;
  supportsTimeSkipping: boolean;
}

/** Tables, client and worker connection for tests. Each environment is alone in its own schema. */
export class TestWorkflowEnvironment {
  readonly options: EnvironmentOptions;
  readonly supportsTimeSkipping: boolean;
  /** Postgres URL with the schema in it, for further connections; also of other processes, unless time is skipped. */
  readonly address: string;
  readonly connectionOptions: ExistingServerConnectionOptions;
  readonly namespace?: string;
  readonly client: Client;
  /** @deprecated Use `client.activity`. */
  readonly asyncCompletionClient: AsyncCompletionClient;
  /** @deprecated Use `client.workflow`. */
  readonly workflowClient: WorkflowClient;
  private readonly database: EnvironmentDatabase | undefined;

  protected constructor(
    parts: Parts,
    readonly connection: Connection,
    /** For the workers under test. */
    readonly nativeConnection: NativeConnection,
  ) {
    this.options = parts.options;
    this.supportsTimeSkipping = parts.supportsTimeSkipping;
    this.address = parts.address;
    this.connectionOptions = parts.connectionOptions;
    this.namespace = parts.namespace;
    this.database = parts.database;
    const { plugins, client } = parts.options;
    const options = { connection, namespace: parts.namespace, plugins: plugins as ClientPlugin[], ...client };
    this.client = parts.supportsTimeSkipping ? new TimeSkippingClient(options) : new Client(options);
    this.asyncCompletionClient = this.client.activity;
    this.workflowClient = this.client.workflow;
  }

  /**
   * An environment that skips time while a result is waited for (`result`, `execute`) and in {@link sleep}: to the next moment at which anything
   * is due, whenever no activity runs and no workflow task is under way. Otherwise time passes as usual. Time is one for the whole environment,
   * and of the process that made it: connections of other processes are refused (BRANCHLINE_TIME_SKIPPED).
   * @throws BranchlineOptionError for server options that mean a process; BranchlineError BRANCHLINE_EMBEDDED_POSTGRES without a Postgres,
   * BRANCHLINE_TESTCONTAINERS without a container that was asked for
   */
  static createTimeSkipping(opts?: TimeSkippingTestWorkflowEnvironmentOptions): Promise<TestWorkflowEnvironment> {
    return this.createOwn({ type: 'time-skipping', ...opts?.server }, opts, true);
  }

  /** An environment in real time. Throws as {@link createTimeSkipping}. */
  static createLocal(opts?: LocalTestWorkflowEnvironmentOptions): Promise<TestWorkflowEnvironment> {
    return this.createOwn({ type: 'dev-server', ...opts?.server }, opts, false);
  }

  /** An environment on tables that exist, as any client and worker would use them; teardown leaves them there. */
  static createFromExistingServer(
    opts?: ExistingServerTestWorkflowEnvironmentOptions,
  ): Promise<TestWorkflowEnvironment> {
    const { apiKey, metadata, tls } = opts?.connectionOptions ?? {};
    return this.connect(
      {
        options: { server: { type: 'existing' }, client: opts?.client ?? {}, plugins: opts?.plugins ?? [] },
        database: undefined,
        address: opts?.address ?? '',
        namespace: opts?.namespace ?? 'default',
        connectionOptions: { apiKey, metadata, tls },
        supportsTimeSkipping: false,
      },
      undefined,
    );
  }

  private static async createOwn(
    server: DevServerConfig | TimeSkippingServerConfig,
    opts: LocalTestWorkflowEnvironmentOptions | TimeSkippingTestWorkflowEnvironmentOptions = {},
    supportsTimeSkipping: boolean,
  ): Promise<TestWorkflowEnvironment> {
    const setup = serverSetup(server as DevServerConfig);
    const database = await createDatabase(opts.postgres);
    try {
      return await this.connect(
        {
          options: { server, client: opts.client ?? {}, plugins: opts.plugins ?? [] },
          database,
          address: database.address,
          namespace: setup.namespace,
          connectionOptions: {},
          supportsTimeSkipping,
        },
        setup,
      );
    } catch (error) {
      await database.remove();
      throw error;
    }
  }

  private static async connect(parts: Parts, setup: ServerSetup | undefined): Promise<TestWorkflowEnvironment> {
    const options = {
      ...parts.connectionOptions,
      ...(parts.address === '' ? {} : { address: parts.address }),
      plugins: parts.options.plugins as never[],
      [InternalConnectionOptionsSymbol]: { supportsTestService: parts.supportsTimeSkipping },
    };
    const nativeConnection = await NativeConnection.connect(options as NativeConnectionOptions);
    let connection: Connection | undefined;
    try {
      connection = await Connection.connect(options as ConnectionOptions);
      if (setup !== undefined) await setUp(connection, setup);
      return new this(parts, connection, nativeConnection);
    } catch (error) {
      await connection?.close();
      await nativeConnection.close();
      throw error;
    }
  }

  /** Closes the connections and drops the schema; tables that were there before stay. Workers must have ended. */
  async teardown(): Promise<void> {
    for (const part of [this.connection, this.nativeConnection]) {
      // As Temporal's: a test that is over is not to fail by its end.
      await part.close().catch((error: unknown) => console.error(error));
    }
    await this.database?.remove().catch((error: unknown) => console.error(error));
  }

  /** Waits that long by the environment's clock (ms, or a string such as `1 day`): with time skipping no longer than what is under way takes. */
  sleep = async (durationMs: Duration): Promise<void> => {
    const { testService } = this.connection;
    if (testService !== undefined) await testService.unlockTimeSkippingWithSleep({ duration: msToTs(durationMs) });
    else await new Promise((resolve) => setTimeout(resolve, msToNumber(durationMs)));
  };

  /** Epoch ms by the environment's clock. */
  async currentTimeMs(): Promise<number> {
    const { testService } = this.connection;
    if (testService === undefined) return Date.now();
    return tsToMs((await testService.getCurrentTime({})).time);
  }

  /** Refused by the service: there are no Nexus endpoints. @throws ServiceError UNIMPLEMENTED */
  async createNexusEndpoint(name: string, taskQueue: string): Promise<NexusEndpointIdentifier> {
    const { endpoint } = await this.connection.operatorService.createNexusEndpoint({
      spec: { name, target: { worker: { namespace: this.namespace ?? 'default', taskQueue } } },
    });
    return { id: endpoint!.id!, version: endpoint!.version!, raw: endpoint! };
  }

  /** Refused by the service: there are no Nexus endpoints. @throws ServiceError UNIMPLEMENTED */
  async deleteNexusEndpoint(endpoint: Pick<NexusEndpointIdentifier, 'id' | 'version'>): Promise<void> {
    await this.connection.operatorService.deleteNexusEndpoint(endpoint);
  }
}

async function setUp(connection: Connection, { namespace, searchAttributes }: ServerSetup): Promise<void> {
  if (namespace !== 'default') {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
  }
  if (Object.keys(searchAttributes).length > 0) {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
}
