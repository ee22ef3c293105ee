/** Which search attributes a run may have (common/searchattribute/validator.go). */
import { temporal } from '@temporalio/proto';
import { invalidArgument } from '../errors';
import { SEARCH_ATTRIBUTES_COUNT, SEARCH_ATTRIBUTES_TOTAL_SIZE, SEARCH_ATTRIBUTE_VALUE_SIZE } from './limits';
import { payloadJson, removesField } from './payload-fields';
import { payloadMapSize } from './size';
import type { Payload } from './types';

import Type = temporal.api.enums.v1.IndexedValueType;

/** Kept by the server itself: nobody may set them. Those without a column (service/visibility/attributes.ts) are stored with the others. */
export const serverSearchAttributes: Readonly<Record<string, Type>> = {
  WorkflowId: Type.INDEXED_VALUE_TYPE_KEYWORD,
  RunId: Type.INDEXED_VALUE_TYPE_KEYWORD,
  WorkflowType: Type.INDEXED_VALUE_TYPE_KEYWORD,
  StartTime: Type.INDEXED_VALUE_TYPE_DATETIME,
  ExecutionTime: Type.INDEXED_VALUE_TYPE_DATETIME,
  CloseTime: Type.INDEXED_VALUE_TYPE_DATETIME,
  ExecutionStatus: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TaskQueue: Type.INDEXED_VALUE_TYPE_KEYWORD,
  HistoryLength: Type.INDEXED_VALUE_TYPE_INT,
  ExecutionDuration: Type.INDEXED_VALUE_TYPE_INT,
  StateTransitionCount: Type.INDEXED_VALUE_TYPE_INT,
  HistorySizeBytes: Type.INDEXED_VALUE_TYPE_INT,
  ParentWorkflowId: Type.INDEXED_VALUE_TYPE_KEYWORD,
  ParentRunId: Type.INDEXED_VALUE_TYPE_KEYWORD,
  RootWorkflowId: Type.INDEXED_VALUE_TYPE_KEYWORD,
  RootRunId: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalWorkerDeploymentVersion: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalWorkflowVersioningBehavior: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalWorkerDeployment: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalUsedWorkerDeploymentVersions: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST,
};

/** Names that Temporal's server keeps for values that this one has not. */
const reserved: ReadonlySet<string> = new Set(['TemporalExternalPayloadCount', 'TemporalExternalPayloadSizeBytes']);

/** There in every namespace, and may be set. */
export const predefinedSearchAttributes: Readonly<Record<string, Type>> = {
  TemporalChangeVersion: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  BinaryChecksums: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  BuildIds: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  BatcherNamespace: Type.INDEXED_VALUE_TYPE_KEYWORD,
  BatcherUser: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalScheduledStartTime: Type.INDEXED_VALUE_TYPE_DATETIME,
  TemporalScheduledById: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalSchedulePaused: Type.INDEXED_VALUE_TYPE_BOOL,
  TemporalNamespaceDivision: Type.INDEXED_VALUE_TYPE_KEYWORD,
  TemporalPauseInfo: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  TemporalReportedProblems: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST,
};

/** As the server spells the types in its messages. */
export const typeNames: Readonly<Record<number, string>> = {
  [Type.INDEXED_VALUE_TYPE_TEXT]: 'Text',
  [Type.INDEXED_VALUE_TYPE_KEYWORD]: 'Keyword',
  [Type.INDEXED_VALUE_TYPE_INT]: 'Int',
  [Type.INDEXED_VALUE_TYPE_DOUBLE]: 'Double',
  [Type.INDEXED_VALUE_TYPE_BOOL]: 'Bool',
  [Type.INDEXED_VALUE_TYPE_DATETIME]: 'Datetime',
  [Type.INDEXED_VALUE_TYPE_KEYWORD_LIST]: 'KeywordList',
};

const encoder = new TextEncoder();

/** RFC 3339 with a zone, as Go's time.Time reads it from JSON. */
const DATETIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function isOf(type: Type, value: unknown): boolean {
  switch (type) {
    case Type.INDEXED_VALUE_TYPE_BOOL:
      return typeof value === 'boolean';
    case Type.INDEXED_VALUE_TYPE_DATETIME:
      return typeof value === 'string' && DATETIME.test(value) && !Number.isNaN(Date.parse(value));
    case Type.INDEXED_VALUE_TYPE_DOUBLE:
      return typeof value === 'number';
    case Type.INDEXED_VALUE_TYPE_INT:
      return Number.isInteger(value);
    default:
      return typeof value === 'string';
  }
}

/**
 * Throws INVALID_ARGUMENT for names that are unknown or the server's own, and values of the wrong type.
 * `types` are the namespace's own attributes; null checks names of the server only.
 */
export function validateSearchAttributes(
  fields: Record<string, Payload> | null | undefined,
  types: Record<string, number> | null,
  namespace: string,
): void {
  const names = Object.keys(fields ?? {});
  if (names.length === 0) return;
  if (names.length > SEARCH_ATTRIBUTES_COUNT) {
    throw invalidArgument(`number of search attributes ${names.length} exceeds limit ${SEARCH_ATTRIBUTES_COUNT}`);
  }
  for (const name of names) {
    if (Object.hasOwn(serverSearchAttributes, name) || reserved.has(name)) {
      throw invalidArgument(`${name} attribute can't be set in SearchAttributes`);
    }
    const payload = fields?.[name] as Payload;
    if (types !== null) checkType(name, payload, predefinedSearchAttributes[name] ?? types[name], namespace);
  }
}

/** As the server shows them: each value says its type. `types` are the namespace's own attributes. */
export function withTypes(
  fields: Record<string, Payload> | null | undefined,
  types: Record<string, number> | null,
): Record<string, Payload> {
  const typed: Record<string, Payload> = {};
  for (const name in fields) {
    const payload = fields[name] as Payload;
    const type = typeNames[predefinedSearchAttributes[name] ?? types?.[name] ?? 0];
    const { metadata } = payload;
    typed[name] =
      type === undefined || metadata?.type
        ? payload
        : { ...payload, metadata: { ...metadata, type: encoder.encode(type) } };
  }
  return typed;
}

/** Values that the server itself sets. */
/** Null for a list that has become empty, as the server writes it. */
export const keywordList = (values: string[] | null): Payload => ownValue('KeywordList', values);
export const keyword = (value: string): Payload => ownValue('Keyword', value);

const ownValue = (type: string, value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from(type) },
  data: Buffer.from(JSON.stringify(value)),
});

/** Throws INVALID_ARGUMENT when a value, or all of them together, are too big. */
export function validateSearchAttributesSize(fields: Record<string, Payload> | null | undefined): void {
  for (const name in fields) {
    const size = fields[name]?.data?.byteLength ?? 0;
    if (size > SEARCH_ATTRIBUTE_VALUE_SIZE) {
      throw invalidArgument(
        `search attribute ${name} value size ${size} exceeds size limit ${SEARCH_ATTRIBUTE_VALUE_SIZE}`,
      );
    }
  }
  const total = payloadMapSize(fields);
  if (total > SEARCH_ATTRIBUTES_TOTAL_SIZE) {
    throw invalidArgument(
      `total size of search attributes ${total} exceeds size limit ${SEARCH_ATTRIBUTES_TOTAL_SIZE}`,
    );
  }
}

function checkType(name: string, payload: Payload, type: Type | undefined, namespace: string): void {
  if (type === undefined) {
    throw invalidArgument(`Namespace ${namespace} has no mapping defined for search attribute ${name}`);
  }
  if (removesField(payload)) return;
  const json = payloadJson(payload);
  let value: unknown;
  try {
    value = JSON.parse(json ?? '');
  } catch {
    value = undefined;
  }
  const fits = Array.isArray(value)
    ? value.every((item) => isOf(type, item))
    : // A keyword list is a list; other types may be given as one too.
      type !== Type.INDEXED_VALUE_TYPE_KEYWORD_LIST && isOf(type, value);
  if (fits) return;
  // Lists as Temporal's server prints them.
  const shown = Array.isArray(value)
    ? `[${value.join(' ')}]`
    : typeof value === 'string'
      ? value
      : (json ?? '<no JSON value>');
  throw invalidArgument(`invalid value for search attribute ${name} of type ${typeNames[type] ?? type}: ${shown}`);
}
