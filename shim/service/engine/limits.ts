/** Temporal's default limits (common/dynamicconfig/constants.go). */
import type { Limits } from './types';

const KIB = 1024;
const MIB = 1024 * KIB;

export const defaultLimits: Limits = {
  blobSizeError: 2 * MIB,
  blobSizeWarn: 512 * KIB,
  memoSizeError: 2 * MIB,
  memoSizeWarn: 2 * KIB,
  historySizeSuggestContinueAsNew: 4 * MIB,
  historyCountSuggestContinueAsNew: 4 * KIB,
  historySizeError: 50 * MIB,
  historySizeWarn: 10 * MIB,
  historyCountError: 50 * KIB,
  historyCountWarn: 10 * KIB,
  pendingActivities: 2000,
  pendingChildren: 2000,
  pendingSignals: 2000,
  pendingCancels: 2000,
  signalsPerRun: 10_000,
  updatesInFlight: 10,
  updatesPerRun: 2000,
  idLength: 1000,
  maxTaskTimeoutMs: 120_000,
  defaultTaskTimeoutMs: 10_000,
};

/** The limits that can be set, by the server's own keys of its dynamic configuration. */
export const LIMIT_KEYS: Record<string, keyof Limits> = {
  'limit.blobSize.error': 'blobSizeError',
  'limit.blobSize.warn': 'blobSizeWarn',
  'limit.memoSize.error': 'memoSizeError',
  'limit.memoSize.warn': 'memoSizeWarn',
  'limit.historySize.error': 'historySizeError',
  'limit.historySize.warn': 'historySizeWarn',
  'limit.historySize.suggestContinueAsNew': 'historySizeSuggestContinueAsNew',
  'limit.historyCount.error': 'historyCountError',
  'limit.historyCount.warn': 'historyCountWarn',
  'limit.historyCount.suggestContinueAsNew': 'historyCountSuggestContinueAsNew',
  'limit.numPendingActivities.error': 'pendingActivities',
  'limit.numPendingChildExecutions.error': 'pendingChildren',
  'limit.numPendingSignals.error': 'pendingSignals',
  'limit.numPendingCancelRequests.error': 'pendingCancels',
  'limit.maxIDLength': 'idLength',
  'history.maximumSignalsPerExecution': 'signalsPerRun',
  'history.maxInFlightUpdates': 'updatesInFlight',
  'history.maxTotalUpdates': 'updatesPerRun',
};

/** Bytes of one search attribute value, and of all of a run. */
export const SEARCH_ATTRIBUTE_VALUE_SIZE = 2 * KIB;
export const SEARCH_ATTRIBUTES_TOTAL_SIZE = 40 * KIB;
export const SEARCH_ATTRIBUTES_COUNT = 100;

/** A chain of runs goes on at most this often (limit.workflowIdReuseMinimalInterval). */
export const MINIMAL_RUN_INTERVAL_MS = 1000;

/** A worker that heartbeats its local activities for this long without finishing the workflow task loses the task. */
export const TASK_HEARTBEAT_TIMEOUT_MS = 30 * 60 * 1000;
