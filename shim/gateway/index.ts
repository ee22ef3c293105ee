/** The gateway: the service over gRPC, so that Temporal's own workers, CLI, Web UI and SDKs of other languages run on our tables. */
import { Server, type ServerOptions, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { BranchlineError } from '../common/branchline-error';
import type { Service } from '../service/types';
import { Calls } from './calls';
import { HEALTH, SERVICES, grpcDefinition, rpcsOf, serviceName } from './definitions';
import { Health } from './health';
import { type Security, checkSecurity, keyCheck, serverCredentials } from './security';

export { checkSecurity, type GatewayTls, type Security } from './security';

export interface GatewayOptions extends Security {
  /** Stays the caller's: closing the gateway does not close it. */
  service: Pick<Service, 'call'>;
  /** Default 127.0.0.1. Anything that other machines can reach needs `tls`, and `apiKey` or `tls.clientCa`. */
  host?: string;
  /** Default 7233; 0 = a free one. */
  port?: number;
  /** A fault of the service's own, answered with INTERNAL. */
  onFault?: (method: string, error: unknown) => void;
}

export interface Gateway {
  /** host:port */
  readonly address: string;
  readonly port: number;
  /** Polls return empty at once, other calls get `graceMs` (default 3,000) to end; then the connections are cut. */
  close(graceMs?: number): Promise<void>;
}

const GRACE_MS = 3000;
/** What grpc-js takes in at most; the handlers refuse earlier, in Temporal's words. */
const SERVER_OPTIONS: ServerOptions = {
  'grpc.max_receive_message_length': 128 * 1024 * 1024,
  'grpc.max_send_message_length': -1,
};

/**
 * @throws BranchlineError BRANCHLINE_GATEWAY_INSECURE, BRANCHLINE_GATEWAY_API_KEY, BRANCHLINE_GATEWAY_TLS (see security.ts),
 *   BRANCHLINE_GATEWAY_BIND when the address cannot be bound
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { service, host = '127.0.0.1', port = 7233, onFault } = options;
  checkSecurity(host, options);
  const credentials = serverCredentials(options);
  const calls = new Calls({ service, authorize: keyCheck(options), ...(onFault === undefined ? {} : { onFault }) });
  const health = new Health(new Set(SERVICES.map(serviceName)));
  const server = new Server(SERVER_OPTIONS);
  for (const definition of SERVICES) {
    const handlers: UntypedServiceImplementation = {};
    for (const rpc of rpcsOf(definition)) handlers[rpc.name] = calls.handler(rpc);
    server.addService(grpcDefinition(definition), handlers);
  }
  server.addService(grpcDefinition(HEALTH), health.implementation);

  const name = host.includes(':') ? `[${host}]` : host;
  const bound = await bind(server, `${name}:${port}`, credentials);
  let closing: Promise<void> | undefined;
  return {
    address: `${name}:${bound}`,
    port: bound,
    close: (graceMs = GRACE_MS) => (closing ??= shutDown(server, calls, health, graceMs)),
  };
}

function bind(server: Server, address: string, credentials: ReturnType<typeof serverCredentials>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) return resolve(port);
      const message = `The gateway cannot listen on ${address}: ${error.message}`;
      reject(new BranchlineError('BRANCHLINE_GATEWAY_BIND', message, { cause: error }));
    });
  });
}

async function shutDown(server: Server, calls: Calls, health: Health, graceMs: number): Promise<void> {
  health.close();
  const drained = new Promise<void>((resolve) => {
    const cut = (): void => {
      server.forceShutdown();
      // Connections that were lost before are never told of as closed.
      resolve();
    };
    const waiting = setTimeout(() => calls.endAll(), graceMs);
    const cutting = setTimeout(cut, graceMs + 1000);
    server.tryShutdown(() => {
      clearTimeout(waiting);
      clearTimeout(cutting);
      resolve();
    });
  });
  calls.endPolls();
  await drained;
}
