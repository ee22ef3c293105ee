/**
 * What was seen, as plain values that can be compared: messages as the wire gives them (absent and default scalars are the same),
 * errors with class, message, causes and failure info, times and tokens as placeholders. UUIDs stay: compare.ts pairs them.
 */
import { temporal } from '@temporalio/proto';
import Long from 'long';

export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

interface MessageType {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  fromObject(object: object): object;
  toObject(message: object, options: object): Record<string, unknown>;
}
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const { HistoryEvent } = temporal.api.history.v1;

const ISO_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** Times in the markers of local activities. */
const LOCAL_ACTIVITY_TIME = /"(complete_time|original_schedule_time)":\{[^}]*\}/g;

/** Fields that hold what only its own server understands. */
const TOKENS = new Set(['taskToken', 'nextPageToken', 'taskId', 'conflictToken']);

/** Lists whose order is that of a hash map in Temporal's core. */
const SETS = new Set(['coreUsedFlags', 'langUsedFlags']);

/** Any value a scenario may give back. */
export function plain(value: unknown, key = ''): Plain {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return '<time>';
  if (Long.isLong(value)) return value.toString();
  if (value instanceof Error) return plainError(value);
  if (value instanceof Uint8Array) return TOKENS.has(key) ? '<token>' : plainBytes(value);
  if (typeof value === 'string') return TOKENS.has(key) ? '<token>' : value.replace(ISO_TIME, '<time>');
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return `<${typeof value}>`;
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (value instanceof Map) return plain(Object.fromEntries(value));
  const type = value.constructor as unknown as Partial<MessageType>;
  if (typeof type?.encode === 'function' && typeof type.toObject === 'function')
    return plainMessage(type as MessageType, value);
  return plainObject(value as Record<string, unknown>, key);
}

function plainObject(value: Record<string, unknown>, key: string): Plain {
  if (/Time$/.test(key) && isTimestamp(value)) return '<time>';
  if (value.kind === 'TASK_QUEUE_KIND_STICKY') return { ...plainEntries(value), name: '<sticky queue>' };
  return plainEntries(value);
}

function plainEntries(value: Record<string, unknown>): { [key: string]: Plain } {
  const plained: { [key: string]: Plain } = {};
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined || field === null || typeof field === 'function') continue;
    plained[name] = SETS.has(name) ? plain([...(field as number[])].sort((a, b) => a - b)) : plain(field, name);
  }
  return plained;
}

/** A point in time, not the epoch itself (which stands for none). */
function isTimestamp(value: Record<string, unknown>): boolean {
  return Object.keys(value).every((name) => name === 'seconds' || name === 'nanos') && Number(value.seconds ?? 0) > 0;
}

/** A message through its bytes: what another process would read. */
export function plainMessage(type: MessageType, message: object): Plain {
  const onWire = type.decode(type.encode(type.fromObject(message)).finish());
  return plain(withoutDefaults(type.toObject(onWire, { longs: String, enums: String, defaults: false })));
}

/** Scalars that were written although they are the default; messages that are empty stay. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => !isDefault(field))
      .map(([name, field]) => [name, withoutDefaults(field)]),
  );
}

function isDefault(field: unknown): boolean {
  if (field instanceof Uint8Array) return field.length === 0;
  if (Array.isArray(field)) return field.length === 0;
  return field === 0 || field === '0' || field === '' || field === false || field === null || field === undefined;
}

/** Text where the bytes are text, else base64. */
function plainBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  // eslint-disable-next-line no-control-regex -- bytes that no text has
  if (/[\u0000-\u0008\ufffd]/.test(text)) return `base64:${Buffer.from(bytes).toString('base64')}`;
  return text.replace(ISO_TIME, '<time>').replace(LOCAL_ACTIVITY_TIME, '"$1":"<time>"');
}

/** An event as `{type, attributes, …}`: shorter to read than the oneof's field name. */
export function plainEvent(event: HistoryEvent): { type: string; [key: string]: Plain } {
  const { eventType, ...fields } = plainMessage(HistoryEvent as unknown as MessageType, event) as Record<string, Plain>;
  const type = String(eventType).replace(/^EVENT_TYPE_/, '');
  const started = fields.workflowTaskStartedEventAttributes as Record<string, Plain> | undefined;
  // The id of a poll, or a fixed text when the task was given with the answer to the one before: nothing refers to it.
  if (started?.requestId) started.requestId = '<request id>';
  const entries = Object.entries(fields).map(([name, field]) => [
    name.endsWith('EventAttributes') ? 'attributes' : name,
    field,
  ]);
  return { type, ...(Object.fromEntries(entries) as Record<string, Plain>) };
}

/** Error fields that hold a position in code or a whole message again. */
const LEFT_OUT = new Set(['stack', 'failure', 'metadata', 'name', 'message', 'cause']);

export function plainError(error: Error): Plain {
  const fields = plainEntries(
    Object.fromEntries(Object.entries(error).filter(([name]) => !LEFT_OUT.has(name))) as Record<string, unknown>,
  );
  const details = statusDetails(error);
  const stack = (error as { failure?: { stackTrace?: string } }).failure?.stackTrace;
  return {
    class: error.constructor.name,
    name: error.name,
    message: plain(error.message),
    ...fields,
    ...(stack === undefined ? {} : { stackTrace: stack }),
    ...(details === undefined ? {} : { statusDetails: details }),
    ...(error.cause === undefined ? {} : { cause: plain(error.cause) }),
  };
}

/** The typed details of a gRPC status. */
function statusDetails(error: Error): Plain | undefined {
  const metadata = (error as { metadata?: { get?(key: string): (string | Buffer)[] } }).metadata;
  const [bytes] = metadata?.get?.('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  const status = temporal.api.errordetails.v1.MultiOperationExecutionFailure.OperationStatus.decode(bytes);
  return plainStatus(status);
}

/** google.rpc.Status and the status of one operation have the same fields. */
function plainStatus(status: temporal.api.errordetails.v1.MultiOperationExecutionFailure.IOperationStatus): Plain {
  return {
    code: status.code ?? 0,
    message: plain(status.message ?? ''),
    details: (status.details ?? []).map(({ type_url, value }): Plain => {
      const name = (type_url ?? '').split('.').pop() ?? '';
      const type = (temporal.api.errordetails.v1 as unknown as Record<string, MessageType>)[name];
      const bytes = value instanceof Uint8Array ? value : new Uint8Array();
      if (name === 'MultiOperationExecutionFailure') {
        const { statuses } = temporal.api.errordetails.v1.MultiOperationExecutionFailure.decode(bytes);
        return { type: name, statuses: statuses.map(plainStatus) };
      }
      return { type: name, value: type === undefined ? plainBytes(bytes) : plainMessage(type, type.decode(bytes)) };
    }),
  };
}
