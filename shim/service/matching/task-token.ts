/** Task tokens: opaque bytes for workers, a JSON array for us. */
import { invalidArgument, notFound } from '../errors';

export interface WorkflowTaskTokenData {
  kind: 'workflow';
  namespaceId: number;
  runId: string;
  scheduledEventId: number;
  startedEventId: number;
  attempt: number;
  requestId: string;
}
export interface ActivityTaskTokenData {
  kind: 'activity';
  namespaceId: number;
  runId: string;
  scheduledEventId: number;
  attempt: number;
  requestId: string;
}
export interface QueryTaskTokenData {
  kind: 'query';
  queryId: string;
}

type TokenData = WorkflowTaskTokenData | ActivityTaskTokenData | QueryTaskTokenData;

export function encodeToken(token: TokenData): Uint8Array {
  switch (token.kind) {
    case 'workflow':
      return bytes([
        'w',
        token.namespaceId,
        token.runId,
        token.scheduledEventId,
        token.startedEventId,
        token.attempt,
        token.requestId,
      ]);
    case 'activity':
      return bytes(['a', token.namespaceId, token.runId, token.scheduledEventId, token.attempt, token.requestId]);
    case 'query':
      return bytes(['q', token.queryId]);
  }
}

/** A Temporal server's own token is a protobuf message that begins with its first field, the namespace's id. */
const temporalToken = 0x0a;

/** Tokens of a Temporal server are good tokens, of tasks that are not here: what such a server says of tasks that ended long ago. */
const unknownTask: Record<TokenData['kind'], string> = {
  workflow: 'Workflow task not found.',
  activity: 'invalid activityID or activity already timed out or invoking workflow is completed',
  query: 'query task not found, or already expired',
};

/** Throws INVALID_ARGUMENT for bytes that are no token of that kind, NOT_FOUND for the token of a Temporal server. */
export function decodeToken<K extends TokenData['kind']>(
  kind: K,
  token: Uint8Array | string | null | undefined,
): Extract<TokenData, { kind: K }> {
  if (token === null || token === undefined || token.length === 0)
    throw invalidArgument('Task token not set on request.');
  const data = parse(token);
  if (data === null && token[0] === temporalToken) throw notFound(unknownTask[kind]);
  if (data === null || data.kind !== kind) throw invalidArgument('Error deserializing task token.');
  return data as Extract<TokenData, { kind: K }>;
}

function bytes(fields: (string | number)[]): Uint8Array {
  return Buffer.from(JSON.stringify(fields));
}

function parse(token: Uint8Array | string): TokenData | null {
  let fields: unknown;
  try {
    const text =
      typeof token === 'string'
        ? Buffer.from(token, 'base64').toString()
        : Buffer.from(token.buffer, token.byteOffset, token.byteLength).toString();
    fields = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(fields)) return null;
  const [tag, ...rest] = fields as unknown[];
  const numbers = (...values: unknown[]): boolean => values.every((value) => typeof value === 'number');
  const strings = (...values: unknown[]): boolean => values.every((value) => typeof value === 'string');
  if (tag === 'w') {
    const [namespaceId, runId, scheduledEventId, startedEventId, attempt, requestId] = rest;
    if (!numbers(namespaceId, scheduledEventId, startedEventId, attempt) || !strings(runId, requestId)) return null;
    return {
      kind: 'workflow',
      namespaceId,
      runId,
      scheduledEventId,
      startedEventId,
      attempt,
      requestId,
    } as WorkflowTaskTokenData;
  }
  if (tag === 'a') {
    const [namespaceId, runId, scheduledEventId, attempt, requestId] = rest;
    if (!numbers(namespaceId, scheduledEventId, attempt) || !strings(runId, requestId)) return null;
    return { kind: 'activity', namespaceId, runId, scheduledEventId, attempt, requestId } as ActivityTaskTokenData;
  }
  if (tag === 'q' && strings(rest[0])) return { kind: 'query', queryId: rest[0] as string };
  return null;
}
