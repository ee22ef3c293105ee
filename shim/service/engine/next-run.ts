/**
 * How a chain of runs goes on: retry of a failed run, the next run of a cron schedule, continue-as-new. Each is a plan first
 * (its run id stands in the close event of the run before) and is begun once that event is written.
 */
import { temporal } from '@temporalio/proto';
import { fromMs } from '../../common/proto-values';
import { cronBackoffMs } from './cron';
import { MINIMAL_RUN_INTERVAL_MS } from './limits';
import { RetryState, workflowRetry } from './retry';
import { start } from './start';
import { asRun } from './transition';
import type { Failure, HistoryEvent, Payloads, RunState, StartInput, Transition } from './types';
import { inheritedByRepetition } from './versioning/inheritance';

export const Initiator = temporal.api.enums.v1.ContinueAsNewInitiator;
export type Initiator = temporal.api.enums.v1.ContinueAsNewInitiator;

type StartedAttributes = StartInput['attributes'];

/** After a success only a cron schedule goes on. Null when the chain ends. */
export function planAfterCompletion(
  t: Transition,
  result: Payloads | null | undefined,
  startedEvent: () => HistoryEvent,
): StartInput | null {
  const backoffMs = nextCronMs(t);
  if (backoffMs === null) return null;
  return planRepetition(t, startedEvent(), {
    initiator: Initiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE,
    backoffMs,
    result: result ?? null,
    failure: null,
  });
}

/**
 * After a failure or run timeout: retry before cron. `retryState` is what the close event says; `timedOut` runs keep the last result
 * for the retry too.
 */
export function planAfterFailure(
  t: Transition,
  failure: Failure,
  startedEvent: () => HistoryEvent,
  timedOut = false,
): { retryState: RetryState; next: StartInput | null } {
  const { state, ctx } = t;
  const retry = workflowRetry({
    nowMs: ctx.nowMs,
    attempt: state.attempt,
    policy: state.retryPolicy,
    expiresAtMs: state.executionExpiresAtMs,
    failure,
  });
  const lastResult = (): Payloads | null =>
    startedEvent().workflowExecutionStartedEventAttributes?.lastCompletionResult ?? null;
  if (retry.retry) {
    const next = planRepetition(t, startedEvent(), {
      initiator: Initiator.CONTINUE_AS_NEW_INITIATOR_RETRY,
      backoffMs: retry.backoffMs,
      result: timedOut ? lastResult() : null,
      failure,
    });
    return { retryState: RetryState.RETRY_STATE_IN_PROGRESS, next };
  }
  const backoffMs = nextCronMs(t);
  if (backoffMs === null) return { retryState: retry.state, next: null };
  const next = planRepetition(t, startedEvent(), {
    initiator: Initiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE,
    backoffMs,
    result: lastResult(),
    failure,
  });
  return { retryState: retry.state, next };
}

/** Continue-as-new with attributes that are complete (type, queue, timeouts). */
export function planContinuation(
  t: Transition,
  attributes: StartedAttributes,
  initiator: Initiator,
  backoffMs: number,
): StartInput {
  return plan(t, { ...attributes, initiator, attempt: attemptAfter(t.state, initiator) }, backoffMs, []);
}

/** Starts the planned run; it is committed together with this transition. */
export function beginNextRun(t: Transition, next: StartInput): void {
  asRun(t).effect({ type: 'newRun', transition: start(next, t.ctx) });
}

function nextCronMs(t: Transition): number | null {
  return cronBackoffMs(t.state.cronSchedule, t.state.executionAtMs, t.ctx.nowMs);
}

function attemptAfter(state: RunState, initiator: Initiator): number {
  return initiator === Initiator.CONTINUE_AS_NEW_INITIATOR_RETRY ? state.attempt + 1 : 1;
}

/** The same workflow once more: everything as the Started event of the run before has it. */
function planRepetition(
  t: Transition,
  startedEvent: HistoryEvent,
  why: { initiator: Initiator; backoffMs: number; result: Payloads | null; failure: Failure | null },
): StartInput {
  const before = startedEvent.workflowExecutionStartedEventAttributes ?? {};
  const attributes: StartedAttributes = {
    workflowType: before.workflowType,
    taskQueue: { name: before.taskQueue?.name, kind: 1 },
    ...(before.input ? { input: before.input } : {}),
    workflowRunTimeout: before.workflowRunTimeout,
    workflowTaskTimeout: before.workflowTaskTimeout,
    initiator: why.initiator,
    ...(why.failure ? { continuedFailure: why.failure } : {}),
    ...(why.result ? { lastCompletionResult: why.result } : {}),
    ...(before.retryPolicy ? { retryPolicy: before.retryPolicy } : {}),
    attempt: attemptAfter(t.state, why.initiator),
    ...(before.cronSchedule ? { cronSchedule: before.cronSchedule } : {}),
    ...(before.memo ? { memo: before.memo } : {}),
    ...(before.searchAttributes ? { searchAttributes: before.searchAttributes } : {}),
    ...(before.header ? { header: before.header } : {}),
    ...(before.priority ? { priority: before.priority } : {}),
    ...inheritedByRepetition(t.state, before, why.initiator === Initiator.CONTINUE_AS_NEW_INITIATOR_RETRY),
  };
  return plan(t, attributes, why.backoffMs, startedEvent.links ?? []);
}

function plan(t: Transition, attributes: StartedAttributes, backoffMs: number, links: StartInput['links']): StartInput {
  const { state, ctx } = t;
  const runId = ctx.newId();
  return {
    namespace: state.namespace,
    workflowId: state.workflowId,
    runId,
    requestId: ctx.newId(),
    attributes: {
      ...attributes,
      ...(state.executionTimeoutMs > 0 ? { workflowExecutionTimeout: fromMs(state.executionTimeoutMs) } : {}),
      ...(state.executionExpiresAtMs > 0
        ? { workflowExecutionExpirationTime: fromMs(state.executionExpiresAtMs) }
        : {}),
      continuedExecutionRunId: state.runId,
      firstExecutionRunId: state.firstRunId,
      originalExecutionRunId: runId,
    },
    parent: state.parent,
    root: state.parent === null ? null : state.root,
    firstTaskBackoffMs: atLeastMinimalInterval(state, backoffMs, ctx.nowMs),
    signal: null,
    userMetadata: null,
    links,
  };
}

/** Runs of a chain begin at least a second apart, so that a chain cannot spin. */
function atLeastMinimalInterval(state: RunState, backoffMs: number, nowMs: number): number {
  const lifetimeMs = nowMs - state.executionAtMs;
  return lifetimeMs + backoffMs < MINIMAL_RUN_INTERVAL_MS ? MINIMAL_RUN_INTERVAL_MS - lifetimeMs : backoffMs;
}
