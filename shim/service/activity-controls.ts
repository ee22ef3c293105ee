/** PauseActivity, UnpauseActivity, ResetActivity and UpdateActivityOptions: what operators do to pending activities. */
import type { temporal } from '@temporalio/proto';
import { ms } from '../common/proto-values';
import type { ActivitySelector } from './engine/api';
import type { HistoryEvent } from './engine/types';
import { durationProblem } from './engine/durations';
import { validatePriority } from './engine/priority';
import { invalidArgument } from './errors';
import { type CurrentRuns, type Target, targetOf, workflowCompleted } from './target';
import type { MutateOptions, Rpc, ServiceParts } from './types';

type Ws = typeof temporal.api.workflowservice.v1;
type Requests = {
  [K in keyof Ws]: Ws[K] extends { create(properties?: infer P): unknown } ? NonNullable<P> : never;
};
type Duration = Requests['ResetActivityRequest']['jitter'];
type Selection = { id?: string | null; type?: string | null; all?: boolean | null };

/** Resets and patches look at heartbeat details and attempts, whichever process recorded them. */
const withHeartbeats: MutateOptions = { needsHeartbeats: true };

function selectorOf({ id, type, all }: Selection): ActivitySelector {
  if (id) return { id };
  if (type) return { type };
  if (all) return { all: true };
  throw invalidArgument('Either Activity.Id or Activity.Type should be set on request.');
}

/** A fresh delay for each activity, so that many of them do not begin at once. */
function jitterOf(jitter: Duration): () => number {
  const problem = durationProblem(jitter);
  if (problem !== null) throw invalidArgument(`Invalid Jitter: ${problem}`);
  return () => Math.floor(Math.random() * ms(jitter));
}

/** Paths of a field mask, given as in proto files or as in JSON, as JSON spells them. */
function pathsOf(mask: { paths?: string[] | null } | null | undefined): Set<string> {
  const camel = (path: string): string => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return new Set((mask?.paths ?? []).map(camel));
}

export function activityControlRpcs(parts: ServiceParts, current: CurrentRuns) {
  const { engine, runs } = parts;

  /** The Scheduled events of the activities that are meant, and the run they are in. */
  const originalsOf = async (
    target: Target,
    which: ActivitySelector,
  ): Promise<{ target: Target; originals: Map<number, HistoryEvent> }> => {
    const runId = target.runId || (await current.current(target)).runId;
    const state = await runs.read(runId);
    if (state === null || state.workflowId !== target.workflowId) throw workflowCompleted();
    const originals = new Map<number, HistoryEvent>();
    for (const { scheduledEventId } of engine.selectActivities(state, which)) {
      const [event] = await runs.history(runId, scheduledEventId, scheduledEventId);
      if (event !== undefined) originals.set(scheduledEventId, event);
    }
    return { target: { ...target, runId }, originals };
  };

  const pauseActivity: Rpc<Requests['PauseActivityRequest'], object> = async (request) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    const which = selectorOf({ id: request.id, type: request.type });
    const by = { identity: request.identity ?? '', reason: request.reason ?? '' };
    await current.mutate(target, '', (t) => engine.pauseActivities(t, which, by), withHeartbeats);
    return {};
  };

  const unpauseActivity: Rpc<Requests['UnpauseActivityRequest'], object> = async (request) => {
    const target = await targetOf(parts, request.namespace, request.execution);
    const which = selectorOf({ id: request.id, type: request.type, all: request.unpauseAll });
    const how = {
      resetAttempts: request.resetAttempts ?? false,
      resetHeartbeat: request.resetHeartbeat ?? false,
      delayMs: jitterOf(request.jitter),
    };
    await current.mutate(target, '', (t) => engine.unpauseActivities(t, which, how), withHeartbeats);
    return {};
  };

  const resetActivity: Rpc<Requests['ResetActivityRequest'], object> = async (request) => {
    const named = await targetOf(parts, request.namespace, request.execution);
    const which = selectorOf({ id: request.id, type: request.type, all: request.matchAll });
    const delayMs = jitterOf(request.jitter);
    const { target, originals } = request.restoreOriginalOptions
      ? await originalsOf(named, which)
      : { target: named, originals: null };
    const how = {
      resetHeartbeat: request.resetHeartbeat ?? false,
      keepPaused: request.keepPaused ?? false,
      delayMs,
      originals,
    };
    await current.mutate(target, '', (t) => engine.resetActivities(t, which, how), withHeartbeats);
    return {};
  };

  const updateActivityOptions: Rpc<Requests['UpdateActivityOptionsRequest'], object> = async (request) => {
    const named = await targetOf(parts, request.namespace, request.execution);
    const which = selectorOf({ id: request.id, type: request.type, all: request.matchAll });
    validatePriority(request.activityOptions?.priority);
    const paths = pathsOf(request.updateMask);
    const { restoreOriginal, activityOptions } = request;
    if (restoreOriginal && paths.size > 0) throw invalidArgument('Both UpdateMask and RestoreOriginal are provided');
    if (!restoreOriginal && !activityOptions) throw invalidArgument('ActivityOptions are not provided');
    if (!restoreOriginal && !request.updateMask) throw invalidArgument('UpdateMask is not provided');
    const { target, originals } = restoreOriginal
      ? await originalsOf(named, which)
      : { target: named, originals: null };
    const change = originals === null ? { options: activityOptions ?? {}, paths } : { originals };
    const { value } = await current.mutate(
      target,
      '',
      (t) => engine.updateActivityOptions(t, which, change),
      withHeartbeats,
    );
    return { activityOptions: value };
  };

  return { pauseActivity, unpauseActivity, resetActivity, updateActivityOptions };
}
