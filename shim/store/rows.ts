/** Rows of Postgres as the store's plain objects. */
import type { Payload, Status } from '../service/engine/types';
import { setOwn } from './json-text';
import { payloadFromMembers, type StoredPayload } from './payload-json';
import type { ClaimedTask, ExecutionRow, NamespaceRow } from './types';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Callers pass on what users typed: what is no UUID names no run. */
export function isRunId(text: string): boolean {
  return uuid.test(text);
}

export interface ExecutionRecord {
  namespace_id: number;
  workflow_id: string;
  run_id: string;
  first_run_id: string;
  base_run_id: string | null;
  workflow_type: string;
  task_queue: string;
  status: Status;
  start_request_id: string;
  start_ms: number;
  execution_ms: number;
  close_ms: number;
  history_length: number;
  history_size_bytes: number;
  state_transitions: number;
  parent_workflow_id: string | null;
  parent_run_id: string | null;
  root_workflow_id: string;
  root_run_id: string;
  memo: Record<string, StoredPayload> | null;
  search_attribute_payloads: Record<string, StoredPayload> | null;
  build_id: string | null;
}

/** Of a list; one that was not looked for to the end tells so. */
export interface ListRecord extends ExecutionRecord {
  sort_keys: (string | null)[];
  /** Of the first page only. */
  closed_by?: string | null;
  whole?: boolean;
}

export function executionRow(record: ExecutionRecord): ExecutionRow {
  const { parent_workflow_id: parentId, parent_run_id: parentRunId } = record;
  return {
    namespaceId: record.namespace_id,
    workflowId: record.workflow_id,
    runId: record.run_id,
    firstRunId: record.first_run_id,
    baseRunId: record.base_run_id ?? '',
    workflowType: record.workflow_type,
    taskQueue: record.task_queue,
    status: record.status,
    startRequestId: record.start_request_id,
    startMs: record.start_ms,
    executionMs: record.execution_ms,
    closeMs: record.close_ms,
    historyLength: record.history_length,
    historySizeBytes: record.history_size_bytes,
    stateTransitions: record.state_transitions,
    parent: parentId === null || parentRunId === null ? null : { workflowId: parentId, runId: parentRunId },
    root: { workflowId: record.root_workflow_id, runId: record.root_run_id },
    memo: payloadMap(record.memo),
    searchAttributes: payloadMap(record.search_attribute_payloads),
    buildId: record.build_id ?? '',
  };
}

function payloadMap(stored: Record<string, StoredPayload> | null): Record<string, Payload> {
  const payloads: Record<string, Payload> = {};
  for (const key in stored) setOwn(payloads, key, payloadFromMembers(stored[key] as StoredPayload, 'encoding'));
  return payloads;
}

export interface TaskRecord {
  id: string;
  namespace_id: number;
  queue: string;
  kind: 'workflow' | 'activity';
  run_id: string;
  scheduled_event_id: number;
  attempt: number;
  priority: number;
  fairness_key: string;
  fairness_weight: number;
  created_ms: number;
}

export function claimedTask(record: TaskRecord): ClaimedTask {
  return {
    id: record.id,
    namespaceId: record.namespace_id,
    queue: record.queue,
    kind: record.kind,
    runId: record.run_id,
    scheduledEventId: record.scheduled_event_id,
    attempt: record.attempt,
    priority: record.priority,
    fairnessKey: record.fairness_key,
    fairnessWeight: record.fairness_weight,
    createdMs: record.created_ms,
  };
}

export interface NamespaceRecord {
  id: number;
  uuid: string;
  name: string;
  description: string;
  owner_email: string;
  retention_ms: number;
  state: number;
  created_ms: number;
  data: Record<string, string>;
}

export function namespaceRow(record: NamespaceRecord): NamespaceRow {
  return {
    id: record.id,
    uuid: record.uuid,
    name: record.name,
    description: record.description,
    ownerEmail: record.owner_email,
    retentionMs: record.retention_ms,
    state: record.state,
    createdMs: record.created_ms,
    data: record.data,
  };
}
