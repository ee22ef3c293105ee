/** Page tokens: opaque to callers, JSON inside. */
import { invalidArgument } from './errors';

export const encodeToken = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

/** Undefined for an absent token; INVALID_ARGUMENT for one that this service did not make. */
export function decodeToken<T extends object>(
  token: Uint8Array | null | undefined,
  isValid: (value: Partial<T>) => boolean,
): T | undefined {
  if (!token || token.length === 0) return undefined;
  try {
    const value = JSON.parse(Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString()) as T;
    if (value !== null && typeof value === 'object' && isValid(value)) return value;
  } catch {
    // falls through to the refusal
  }
  throw invalidArgument('Invalid NextPageToken.');
}
