/** What later runs of a chain, and children, take over of a run's version: only what is pinned, and only where that version serves their queue. */
import { temporal } from '@temporalio/proto';
import type { EngineContext, RunState, StartInput } from '../types';
import { wireOverride } from './override';
import { servesWorkflows } from './routing';
import { effectiveBehavior, effectiveVersion, pinnedOverride, pinnedVersion } from './run-versioning';
import { Behavior } from './version';

import InitialBehavior = temporal.api.enums.v1.ContinueAsNewVersioningBehavior;

type Inherited = Pick<
  StartInput['attributes'],
  'versioningOverride' | 'inheritedPinnedVersion' | 'inheritedAutoUpgradeInfo'
>;

/** Of a child on that queue of the same namespace. */
export function inheritedByChild(state: RunState, ctx: EngineContext, taskQueue: string): Inherited {
  if (state.deployment === null) return {};
  const pinned = pinnedVersion(state);
  const override = pinnedOverride(state.deployment);
  const same = taskQueue === state.taskQueue;
  const serves = same || (pinned !== null && servesWorkflows(ctx.routing, taskQueue, pinned));
  return {
    ...(pinned !== null && serves ? { inheritedPinnedVersion: { ...pinned } } : {}),
    ...(override !== null && serves ? { versioningOverride: wireOverride({ pinned: override }) } : {}),
  };
}

/** Of a run that continues as new. `initial`: it wants to begin on the version that tasks go to by then. */
export function inheritedByContinuation(
  state: RunState,
  ctx: EngineContext,
  taskQueue: string,
  initial: InitialBehavior | null | undefined,
): Inherited {
  if (state.deployment === null) return {};
  const inherited = inheritedByChild(state, ctx, taskQueue);
  if (!initial || effectiveBehavior(state) === Behavior.Unspecified) return inherited;
  const source = effectiveVersion(state);
  const serves = taskQueue === state.taskQueue || (source !== null && servesWorkflows(ctx.routing, taskQueue, source));
  return {
    ...(inherited.versioningOverride ? { versioningOverride: inherited.versioningOverride } : {}),
    inheritedAutoUpgradeInfo: {
      ...(source !== null && serves ? { sourceDeploymentVersion: { ...source } } : {}),
      continueAsNewInitialVersioningBehavior: initial,
    },
  };
}

/** Of the next run of a cron schedule, or of a retry: that of a run which had inherited its version itself. */
export function inheritedByRepetition(state: RunState, before: StartInput['attributes'], isRetry: boolean): Inherited {
  if (state.deployment === null) return {};
  const pinned = pinnedVersion(state);
  const override = pinnedOverride(state.deployment);
  return {
    ...(isRetry && pinned !== null && before.inheritedPinnedVersion ? { inheritedPinnedVersion: { ...pinned } } : {}),
    ...(override === null ? {} : { versioningOverride: wireOverride({ pinned: override }) }),
  };
}
