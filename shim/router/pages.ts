/** Page tokens that say which engine they are of. */
import { decodeToken, encodeToken } from '../service/page-token';
import { grpcError } from '../client/grpc-error';
import { ServiceError } from '../service/errors';

interface Page {
  engine: string;
  /** base64 */
  token: string;
}

/** The request as its engine wants it; `engine` undefined for a first page. */
export function inEnginePage(request: object): { engine?: string; request: object } {
  const page = readToken<Page>(
    (request as { nextPageToken?: Uint8Array | null }).nextPageToken,
    ({ engine, token }) => typeof engine === 'string' && typeof token === 'string',
  );
  if (page === undefined) return { request };
  return { engine: page.engine, request: { ...request, nextPageToken: Buffer.from(page.token, 'base64') } };
}

export function enginePage<R extends object>(engine: string, response: R): R {
  const { nextPageToken } = response as { nextPageToken?: Uint8Array | null };
  if (!nextPageToken || nextPageToken.length === 0) return response;
  return { ...response, nextPageToken: encodeToken({ engine, token: base64(nextPageToken) } satisfies Page) };
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** @throws GrpcError INVALID_ARGUMENT for a token that the router did not make */
export function readToken<T extends object>(
  token: Uint8Array | null | undefined,
  isValid: (value: Partial<T>) => boolean,
): T | undefined {
  try {
    return decodeToken<T>(token, isValid);
  } catch (error) {
    throw error instanceof ServiceError ? grpcError(error) : error;
  }
}
