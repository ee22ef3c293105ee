/** What is kept of batch operations: one command on many workflows. */
export interface BatchJobKey {
  namespaceId: number;
  jobId: string;
}

/** One command on many workflows. */
export interface BatchJob extends BatchJobKey {
  /** temporal.api.enums.v1.BatchOperationState and BatchOperationType as numbers. */
  state: number;
  type: number;
  /** Plain data; bytes allowed. */
  operation: object;
  query: string;
  reason: string;
  identity: string;
  operationsPerSecond: number;
  startedMs: number;
  /** 0 while it runs. */
  closedMs: number;
  /** Where the listing goes on; null at its beginning. */
  pageToken: Uint8Array | null;
  listed: boolean;
  total: number;
  completed: number;
  failed: number;
}

export interface BatchTarget {
  workflowId: string;
  /** '' = the current run. */
  runId: string;
}
export interface BatchItem extends BatchTarget {
  position: number;
}

/** Calls that change a job are refused (false) to a process that does not own it any more, or when it was stopped. */
export interface BatchJobStore {
  /** `targets` are its items, null when they are to be listed. */
  start(
    job: Pick<BatchJob, 'type' | 'operation' | 'query' | 'reason' | 'identity' | 'operationsPerSecond'> & BatchJobKey,
    targets: BatchTarget[] | null,
  ): Promise<'started' | 'exists' | 'busy'>;
  load(key: BatchJobKey): Promise<BatchJob | null>;
  /** Newest first. */
  list(namespaceId: number, limit: number, after: { startedMs: number; jobId: string } | null): Promise<BatchJob[]>;
  /** A running job that no living process works on, now owned by this one; not one of those that it works on already. */
  claim(working: BatchJobKey[]): Promise<BatchJob | null>;
  release(key: BatchJobKey): Promise<void>;
  /** A page of the listing; `pageToken` null = it was the last. */
  addItems(key: BatchJobKey, targets: BatchTarget[], pageToken: Uint8Array | null): Promise<boolean>;
  /** Items still to be done, behind that position. */
  items(key: BatchJobKey, afterPosition: number, limit: number): Promise<BatchItem[]>;
  /** `error` null = done. */
  finish(key: BatchJobKey, fates: { position: number; error: string | null }[]): Promise<boolean>;
  complete(key: BatchJobKey): Promise<void>;
  /** False when it does not run. What was not done is forgotten. */
  stop(key: BatchJobKey): Promise<boolean>;
  /** Removes jobs that closed before that time, some of them per call; how many. */
  deleteClosed(namespaceId: number, beforeMs: number): Promise<number>;
}
