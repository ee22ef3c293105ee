/** Run commits as the arrays of `commit_batch`. */
import { type Payload, type RunState, Status } from '../service/engine/types';
import {
  boolArray,
  float8Array,
  int2Array,
  int4Array,
  int8Array,
  jsonArray,
  textArray,
  uuidArray,
} from './binary-arrays';
import { eventsToJson } from './event-json';
import { quote } from './json-text';
import { payloadMembers, textOf } from './payload-json';
import { int64 } from '../common/proto-values';
import { stateToJson } from './state-json';
import type { ExecutionRow, NewTask, RunCommit } from './types';

/**
 * A commit in its final form: the state in memory goes on changing, so it is written out when the commit is asked for. The long texts are
 * bytes: thousands of them may wait for their batch, and strings that live so long keep the garbage collector copying.
 */
export interface EncodedCommit {
  runId: string;
  expectedVersion: number;
  owner: string | null;
  dueAtMs: number;
  busy: boolean;
  state: Buffer | null;
  /** Only of new runs. */
  create: { namespaceId: number; workflowId: string; reuse: number; startRequestId: string } | null;
  history: HistoryRow[];
  /** Members of a row object, without the opening brace. */
  execution: string | null;
  tasks: string[];
  doneTasks: string[];
  signalRequestIds: string[];
  closedActivities: number[];
  /** The run is closed after it. */
  closes: boolean;
  inbox: string[];
  size: number;
}

const reuseCodes = { allowDuplicate: 0, allowDuplicateFailedOnly: 1, rejectDuplicate: 2 } as const;

export function encodeCommit(commit: RunCommit): EncodedCommit {
  const { events, create } = commit;
  const state = commit.state === null ? null : Buffer.from(stateToJson(commit.state));
  const history = historyRows(events);
  const isNew = commit.expectedVersion === 0;
  if (isNew !== (create !== null)) throw new TypeError('A commit makes a run (version 0 and `create`) or changes one');
  return {
    runId: commit.runId,
    expectedVersion: commit.expectedVersion,
    owner: commit.owner,
    dueAtMs: commit.dueAtMs,
    busy: commit.state !== null && isBusy(commit.state),
    state,
    create:
      create === null
        ? null
        : {
            namespaceId: commit.namespaceId,
            workflowId: commit.workflowId,
            reuse: reuseCodes[create.reuse],
            startRequestId: create.startRequestId,
          },
    history,
    execution: commit.execution === null ? null : encodeExecution(commit.execution, isNew),
    tasks: commit.newTasks.map(encodeTask),
    doneTasks: commit.doneTasks,
    signalRequestIds: commit.signalRequestIds,
    closedActivities: commit.closedActivities,
    closes: !isNew && (state === null || (commit.execution !== null && commit.execution.status !== Status.Running)),
    inbox: commit.inbox,
    size: (state?.length ?? 0) + history.reduce((sum, row) => sum + row.events.length, 0) + 300,
  };
}

/** A row of `history`. */
interface HistoryRow {
  firstEventId: number;
  lastEventId: number;
  events: Buffer;
}

/** Most events of one row: a reset writes a whole history at once. */
const MAX_ROW_EVENTS = 256;

function historyRows(events: RunCommit['events']): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let i = 0; i < events.length; i += MAX_ROW_EVENTS) {
    const part = events.length <= MAX_ROW_EVENTS ? events : events.slice(i, i + MAX_ROW_EVENTS);
    rows.push({
      firstEventId: int64(part[0]!.eventId),
      lastEventId: int64(part[part.length - 1]!.eventId),
      events: compressible(eventsToJson(part)),
    });
  }
  return rows;
}

/** Something is to be done before the run waits for time or for others. */
function isBusy(state: RunState): boolean {
  if (state.workflowTask !== null) return true;
  for (const _id in state.activities) return true;
  return false;
}

/**
 * Postgres compresses a column only in rows of more than 2032 bytes, whatever `toast_tuple_target` says, and most commits write 1 to 2 kB of
 * events. Spaces at the end, which JSON ignores and compression swallows, bring them over that size. Measured on one-activity workflows:
 * 5.8 kB of WAL per run in place of 7.7, for 0.1 ms more CPU of Postgres.
 */
function compressible(json: string): Buffer {
  if (json.length <= 700 || json.length >= compressedFrom) return Buffer.from(json);
  const bytes = Buffer.allocUnsafe(Math.max(compressedFrom, Buffer.byteLength(json)));
  return bytes.fill(' ', bytes.write(json));
}

const compressedFrom = 2000;

function encodeTask(task: NewTask): string {
  return (
    `"namespaceId":${task.namespaceId},"queue":${quote(task.queue)},"kind":"${task.kind}","runId":"${task.runId}",` +
    `"scheduledEventId":${task.scheduledEventId},"attempt":${task.attempt},"priority":${task.priority}` +
    (task.fairnessKey === '' ? '' : `,"fairnessKey":${quote(task.fairnessKey)}`) +
    (task.fairnessWeight === 1 ? '}' : `,"weight":${task.fairnessWeight}}`)
  );
}

function encodeExecution(row: ExecutionRow, isNew: boolean): string {
  let json =
    `"status":${row.status},"closeMs":${row.closeMs},"historyLength":${row.historyLength},` +
    `"historySizeBytes":${row.historySizeBytes},"stateTransitions":${row.stateTransitions}`;
  if (isNew) {
    json +=
      `,"namespaceId":${row.namespaceId},"workflowId":${quote(row.workflowId)},"firstRunId":"${row.firstRunId}",` +
      `"workflowType":${quote(row.workflowType)},"taskQueue":${quote(row.taskQueue)},"startRequestId":${quote(row.startRequestId)},` +
      `"startMs":${row.startMs},"executionMs":${row.executionMs}`;
    if (row.root.runId !== row.runId) {
      json += `,"rootWorkflowId":${quote(row.root.workflowId)},"rootRunId":"${row.root.runId}"`;
    }
    if (row.baseRunId !== '') json += `,"baseRunId":"${row.baseRunId}"`;
    if (row.parent !== null) {
      json += `,"parentWorkflowId":${quote(row.parent.workflowId)},"parentRunId":"${row.parent.runId}"`;
    }
  }
  const memo = encodePayloads(row.memo);
  if (memo !== '') json += `,"memo":{${memo}}`;
  const searchAttributes = encodePayloads(row.searchAttributes);
  if (searchAttributes !== '') {
    json += `,"searchAttributePayloads":{${searchAttributes}},"searchAttributes":{${searchAttributeValues(row.searchAttributes)}}`;
  }
  if (row.buildId !== '') json += `,"buildId":${quote(row.buildId)}`;
  return json + '}';
}

function encodePayloads(payloads: Record<string, Payload>): string {
  let json = '';
  for (const key in payloads) {
    json += `${json === '' ? '' : ','}${quote(key)}:{${payloadMembers(payloads[key] as Payload, 'encoding')}}`;
  }
  return json;
}

/** The JSON values themselves, for filters. What is no JSON, or JSON that jsonb cannot hold, is not searched. */
export function searchAttributeValues(payloads: Record<string, Payload>): string {
  let json = '';
  for (const key in payloads) {
    const data = payloads[key]?.data;
    const text = data === null || data === undefined ? undefined : textOf(data);
    if (text === undefined || text.includes('\\u0000') || !isJson(text)) continue;
    json += `${json === '' ? '' : ','}${quote(key)}:${text}`;
  }
  return json;
}

/** JSON without lone surrogates, which JSON allows and jsonb refuses. */
function isJson(text: string): boolean {
  try {
    return !JSON.stringify(JSON.parse(text)).includes('\\ud');
  } catch {
    return false;
  }
}

/** Parameters of `commit_batch` after process, batch number and lease. */
export function batchParameters(groups: readonly EncodedCommit[][]): unknown[] {
  const commits: EncodedCommit[] = [];
  const group: number[] = [];
  groups.forEach((members, i) => {
    for (const commit of members) {
      commits.push(commit);
      group.push(i + 1);
    }
  });
  const history: { at: number; row: HistoryRow }[] = [];
  const doneAt: number[] = [];
  const done: string[] = [];
  const signalAt: number[] = [];
  const signals: string[] = [];
  const activityAt: number[] = [];
  const activities: number[] = [];
  const closes: number[] = [];
  const inboxAt: number[] = [];
  const inbox: string[] = [];
  let newExecutions = '';
  let changedExecutions = '';
  let tasks = '';
  commits.forEach((commit, i) => {
    const at = i + 1;
    for (const row of commit.history) history.push({ at, row });
    if (commit.execution !== null) {
      const row = `{"at":${at},${commit.execution}`;
      if (commit.create !== null) newExecutions += (newExecutions === '' ? '[' : ',') + row;
      else changedExecutions += (changedExecutions === '' ? '[' : ',') + row;
    }
    for (const task of commit.tasks) tasks += `${tasks === '' ? '[' : ','}{"at":${at},${task}`;
    for (const id of commit.doneTasks) {
      doneAt.push(at);
      done.push(id);
    }
    for (const id of commit.signalRequestIds) {
      signalAt.push(at);
      signals.push(id);
    }
    // With the run all of its heartbeats go.
    for (const id of commit.state === null ? [] : commit.closedActivities) {
      activityAt.push(at);
      activities.push(id);
    }
    if (commit.closes) closes.push(at);
    for (const seq of commit.inbox) {
      inboxAt.push(at);
      inbox.push(seq);
    }
  });
  return [
    groups.length,
    commits.some((commit) => commit.create === null && commit.state !== null),
    commits.some((commit) => commit.state === null),
    int4Array(group),
    uuidArray(commits.map((commit) => commit.runId)),
    int8Array(commits.map((commit) => commit.expectedVersion)),
    uuidArray(commits.map((commit) => commit.owner)),
    float8Array(commits.map((commit) => commit.dueAtMs)),
    boolArray(commits.map((commit) => commit.busy)),
    jsonArray(commits.map((commit) => commit.state)),
    int4Array(commits.map((commit) => commit.create?.namespaceId ?? null)),
    textArray(commits.map((commit) => commit.create?.workflowId ?? null)),
    int2Array(commits.map((commit) => commit.create?.reuse ?? null)),
    textArray(commits.map((commit) => commit.create?.startRequestId ?? null)),
    int4Array(history.map(({ at }) => at)),
    int4Array(history.map(({ row }) => row.firstEventId)),
    int4Array(history.map(({ row }) => row.lastEventId)),
    jsonArray(history.map(({ row }) => row.events)),
    newExecutions === '' ? null : newExecutions + ']',
    changedExecutions === '' ? null : changedExecutions + ']',
    tasks === '' ? null : tasks + ']',
    int4Array(doneAt),
    int8Array(done),
    int4Array(signalAt),
    textArray(signals),
    int4Array(activityAt),
    int4Array(activities),
    int4Array(closes),
    int4Array(inboxAt),
    int8Array(inbox),
  ];
}
