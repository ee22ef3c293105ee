/** Who may reach the gateway: loopback without further ado, anywhere else only encrypted and with proof of who calls. */
import { timingSafeEqual, createHash } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import { ServerCredentials } from '@grpc/grpc-js';
import { BranchlineError } from '../common/branchline-error';
import { Code, ServiceError } from '../service/errors';

/** PEM texts. */
export interface GatewayTls {
  cert: string | Buffer;
  key: string | Buffer;
  /** Authorities of client certificates; given = a client must show a certificate of theirs (mTLS). */
  clientCa?: string | Buffer;
}

export interface Security {
  tls?: GatewayTls;
  /** Callers send it as `authorization: Bearer <key>`. Several: any of them. */
  apiKey?: string | string[];
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0 ? host === 'localhost' : loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

const keysOf = ({ apiKey = [] }: Security): string[] => (typeof apiKey === 'string' ? [apiKey] : apiKey);

/**
 * @throws BranchlineError BRANCHLINE_GATEWAY_INSECURE for an address that others can reach without TLS and proof of who calls;
 *   BRANCHLINE_GATEWAY_API_KEY for an empty key
 */
export function checkSecurity(host: string, security: Security): void {
  const keys = keysOf(security);
  if (keys.some((key) => key === '')) throw new BranchlineError('BRANCHLINE_GATEWAY_API_KEY', 'The API key is empty.');
  if (isLoopback(host)) return;
  const missing = [
    ...(security.tls === undefined ? ['TLS (a certificate and its key)'] : []),
    ...(keys.length === 0 && security.tls?.clientCa === undefined
      ? ['an API key or an authority for client certificates (mTLS)']
      : []),
  ];
  if (missing.length === 0) return;
  throw new BranchlineError(
    'BRANCHLINE_GATEWAY_INSECURE',
    `${host} can be reached from other machines, and whoever reaches the gateway may do everything: give ${missing.join(' and ')}, or bind to 127.0.0.1.`,
  );
}

/** @throws BranchlineError BRANCHLINE_GATEWAY_TLS when the certificate or its key cannot be used */
export function serverCredentials({ tls }: Security): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, clientCa } = tls;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  try {
    return ServerCredentials.createSsl(clientCa ? Buffer.from(clientCa) : null, [pair], clientCa !== undefined);
  } catch (error) {
    throw new BranchlineError(
      'BRANCHLINE_GATEWAY_TLS',
      `The TLS certificate or its key cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Lets calls with one of the keys pass, all when there are none. The check throws UNAUTHENTICATED. */
export function keyCheck(security: Security): (metadata: Record<string, string>) => void {
  const keys = keysOf(security).map(digest);
  if (keys.length === 0) return () => undefined;
  return (metadata) => {
    const given = /^bearer\s+(.+)$/i.exec(metadata.authorization ?? '')?.[1];
    const bytes = digest(given ?? '');
    // All are compared: the time tells nothing.
    const known = keys.filter((key) => timingSafeEqual(key, bytes)).length > 0;
    if (given !== undefined && known) return;
    throw new ServiceError(
      Code.UNAUTHENTICATED,
      given === undefined ? 'An API key is needed: authorization: Bearer <key>.' : 'The API key is not known here.',
    );
  };
}
