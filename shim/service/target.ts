/** Which run a request means: checks of the `execution` field, and the way from a workflow id to its current run. */
import { LRUCache } from 'lru-cache';
import type { temporal } from '@temporalio/proto';
import type { HistoryEvent, Transition } from './engine/types';
import { Status } from './engine/types';
import { Code, ServiceError, invalidArgument, notFound } from './errors';
import type { LoadedRun, MutateOptions, ServiceParts } from './types';

type Execution = temporal.api.common.v1.IWorkflowExecution;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Longest id, type or name that the frontend accepts, in bytes. */
export const MAX_ID_LENGTH = 1000;

const COMPLETED = 'workflow execution already completed';
export const workflowCompleted = (): ServiceError => notFound(COMPLETED);
export const workflowNotFound = (workflowId: string): ServiceError =>
  notFound(`workflow not found for ID: ${workflowId}`);
export const runNotFound = (workflowId: string, runId: string): ServiceError =>
  notFound(`workflow execution not found for workflow ID "${workflowId}" and run ID "${runId}"`);
/** The current run is not of the chain that `firstExecutionRunId` names. */
export const chainNotFound = (): ServiceError => notFound('workflow execution not found');

/** How often a call follows a chain that moves on under it, and how long it waits for a close to be committed, ms. */
const MAX_ATTEMPTS = 50;
const CLOSE_COMMIT_MS = 100;

/** A target that was checked: `runId` is '' for "the current run". */
export interface Target {
  namespaceId: number;
  workflowId: string;
  runId: string;
}

/** Throws INVALID_ARGUMENT for a missing or malformed execution. */
export function checkExecution(execution: Execution | null | undefined): { workflowId: string; runId: string } {
  if (!execution) throw invalidArgument('Execution is not set on request.');
  if (!execution.workflowId) throw invalidArgument('WorkflowId is not set on request.');
  const runId = execution.runId ?? '';
  if (runId !== '' && !UUID.test(runId)) throw invalidArgument('Invalid RunId.');
  return { workflowId: execution.workflowId, runId };
}

export function checkLength(value: string | null | undefined, name: string): void {
  if (value && value.length * 3 > MAX_ID_LENGTH && Buffer.byteLength(value) > MAX_ID_LENGTH) {
    throw invalidArgument(`${name} length exceeds limit.`);
  }
}

/** Is it the refusal of a closed run (and not of an unknown one)? */
export const isWorkflowCompleted = (error: unknown): boolean =>
  error instanceof ServiceError && error.code === Code.NOT_FOUND && error.details === COMPLETED;

/**
 * Finds current runs, and remembers the last one of each id that was seen running: a run that still is running must be the current one,
 * so a remembered answer is checked by the change itself and only asked again when that run turns out to be closed.
 */
export class CurrentRuns {
  private readonly known = new LRUCache<string, string>({ max: 20_000 });

  constructor(private readonly parts: ServiceParts) {}

  remember(namespaceId: number, workflowId: string, runId: string): void {
    this.known.set(`${namespaceId}/${workflowId}`, runId);
  }

  /** The id was in use lately. */
  remembers(namespaceId: number, workflowId: string): boolean {
    return this.known.has(`${namespaceId}/${workflowId}`);
  }

  /** The remembered run (it may have closed since), else the newest one by the store; NOT_FOUND when the id was never used. */
  async likely(target: Target): Promise<string> {
    return this.known.get(`${target.namespaceId}/${target.workflowId}`) ?? (await this.current(target)).runId;
  }

  /** The newest run by the store. */
  async current(
    target: Target,
  ): Promise<{ runId: string; status: Status; firstRunId: string; startRequestId: string }> {
    const current = await this.parts.store.currentRun(target.namespaceId, target.workflowId);
    const key = `${target.namespaceId}/${target.workflowId}`;
    if (current === null) {
      this.known.delete(key);
      throw workflowNotFound(target.workflowId);
    }
    if (current.status === Status.Running) this.known.set(key, current.runId);
    else this.known.delete(key);
    return current;
  }

  /**
   * `Runs.mutate` on the target, with the rules of every client call: no run id means the current run, a closed run is NOT_FOUND
   * "workflow execution already completed", an unknown one says so, and `firstRunId` ('' = any) restricts the call to that chain.
   */
  async mutate<R>(
    target: Target,
    firstRunId: string,
    op: (t: Transition, run: LoadedRun, startedEvent: HistoryEvent | undefined) => R,
    options?: MutateOptions,
  ): Promise<{ runId: string; value: R }> {
    const checked = (t: Transition, run: LoadedRun, startedEvent: HistoryEvent | undefined): R => {
      if (run.state.workflowId !== target.workflowId || run.namespaceId !== target.namespaceId) {
        throw runNotFound(target.workflowId, target.runId);
      }
      if (run.state.status !== Status.Running) throw workflowCompleted();
      if (firstRunId !== '' && run.state.firstRunId !== firstRunId) throw chainNotFound();
      return op(t, run, startedEvent);
    };
    if (target.runId !== '') {
      try {
        return { runId: target.runId, value: await this.parts.runs.mutate(target.runId, checked, options) };
      } catch (error) {
        if (isWorkflowCompleted(error)) await this.checkExists(target);
        throw error;
      }
    }
    let runId = await this.likely(target);
    for (let attempt = 1; ; attempt++) {
      try {
        return { runId, value: await this.parts.runs.mutate(runId, checked, options) };
      } catch (error) {
        if (!isWorkflowCompleted(error) || attempt === MAX_ATTEMPTS) throw error;
        const current = await this.current(target);
        if (firstRunId !== '' && current.firstRunId !== firstRunId) throw chainNotFound();
        if (current.status !== Status.Running) throw workflowCompleted();
        // The close of this run is decided, and on its way to the database: a successor may come with it.
        if (current.runId === runId) await this.parts.runs.changed(runId, CLOSE_COMMIT_MS);
        runId = current.runId;
      }
    }
  }

  /** Throws when the named run was never there; a closed one is there. */
  private async checkExists(target: Target): Promise<void> {
    const row = await this.parts.store.loadExecution(target.namespaceId, target.runId);
    if (row === null || row.workflowId !== target.workflowId) throw runNotFound(target.workflowId, target.runId);
  }
}

/** Checks the execution field and looks the namespace up. */
export async function targetOf(
  parts: ServiceParts,
  namespace: string | null | undefined,
  execution: Execution | null | undefined,
): Promise<Target> {
  const { workflowId, runId } = checkExecution(execution);
  const { id } = await parts.namespace(namespace);
  return { namespaceId: id, workflowId, runId };
}
