/**
 * The servers of a test run. An ephemeral server is a schema of its own on the Postgres that `BRANCHLINE_URL` names, with a gateway
 * in this process for clients that speak gRPC; native clients of its address get the same service directly.
 */
import { randomBytes } from 'node:crypto';
import type { native } from '@temporalio/core-bridge';
import { hold, letGo } from '../../shim/client/process-hold';
import { type Gateway, startGateway } from '../../shim/gateway';
import { acquireService, type SharedService } from '../../shim/service/shared';
import type { Service } from '../../shim/service/types';
import { errors } from './errors';
import { prepareNamespace, suiteSearchAttributes } from './namespace';
import type { Runtime } from './runtime';

interface ServerSettings {
  namespace: string;
  port: number | null;
  extraArgs: string[];
}

export class EphemeralServer {
  readonly type = 'ephemeral-server';

  private constructor(
    private readonly shared: SharedService,
    private readonly gateway: Gateway,
  ) {}

  static async start({ namespace, port, extraArgs }: ServerSettings): Promise<EphemeralServer> {
    const url = process.env.BRANCHLINE_URL;
    if (url === undefined) throw new errors.TransportError('BRANCHLINE_URL does not name the Postgres of the test run');
    const schema = `suite_${randomBytes(6).toString('hex')}`;
    const shared = await acquireService({ url, schema, maxConnections: 4 });
    await prepareNamespace(shared.service, namespace, extraArgs);
    const { service } = shared;
    return new this(shared, await startGateway({ service, port: port ?? 0 }));
  }

  get service(): Service {
    return this.shared.service;
  }

  get address(): string {
    return this.gateway.address;
  }

  get port(): number {
    return this.gateway.port;
  }

  async stop(): Promise<void> {
    hold();
    try {
      await this.gateway.close(0);
      await this.shared.release();
    } finally {
      letGo();
    }
  }
}

const byPort = new Map<number, Promise<EphemeralServer>>();
const defaultPort = 7233;

/** The service behind the address of a native client; undefined when no server of this run listens there. */
export async function serviceAt(targetUrl: string): Promise<Service | undefined> {
  const port = Number(/:(\d+)\/?$/.exec(targetUrl)?.[1] ?? defaultPort);
  return (await byPort.get(port))?.service;
}

/** Files that connect to localhost:7233 find a server there. */
export function startDefaultServer(): void {
  byPort.set(
    defaultPort,
    EphemeralServer.start({ namespace: 'default', port: defaultPort, extraArgs: suiteSearchAttributes }),
  );
}

export async function newEphemeralServer(
  _runtime: Runtime,
  config: native.EphemeralServerConfig,
): Promise<EphemeralServer> {
  if (config.type === 'time-skipping') {
    throw new errors.UnexpectedError('The core bridge of this test run has no time-skipping server');
  }
  const server = await EphemeralServer.start(config);
  byPort.set(server.port, Promise.resolve(server));
  return server;
}

export function ephemeralServerGetTarget(server: EphemeralServer): string {
  return server.address;
}

export async function ephemeralServerShutdown(server: EphemeralServer): Promise<void> {
  byPort.delete(server.port);
  await server.stop();
}
