/**
 * Drainage: a version that gets no new runs any more is looked at from time to time until no open run is pinned to it. Any process may look;
 * the deployment's own fence lets one of them write it down.
 */
import type { Deployments } from '../service/deployments/deployments';
import { drainageChecked, findVersion } from '../service/engine/deployments/decide';
import { DrainageStatus } from '../service/engine/deployments/types';
import { versionText } from '../service/engine/versioning/version';
import type { DeploymentStore, Store } from '../store/types';

export interface DrainageTimes {
  /** Ms from the change of routing to the first look. */
  gracePeriodMs: number;
  /** Ms from one look to the next. */
  intervalMs: number;
}

/** Temporal's (matching.wv.VersionDrainageStatus…). */
const STANDARD: DrainageTimes = { gracePeriodMs: 3 * 60_000, intervalMs: 3 * 60_000 };
/** How often it is seen whether a look is due, ms, at most; no statement until one is. */
const TICK_MS = 5000;
const MIN_TICK_MS = 100;

export class Drainage {
  private readonly timer: NodeJS.Timeout;
  private looking: Promise<void> | null = null;

  constructor(
    private readonly store: Pick<Store, 'nowMs'> & { readonly deployments: DeploymentStore },
    private readonly deployments: Deployments,
    private readonly times: DrainageTimes = STANDARD,
  ) {
    const { gracePeriodMs, intervalMs } = times;
    const tickMs = Math.max(MIN_TICK_MS, Math.min(TICK_MS, gracePeriodMs, intervalMs));
    this.timer = setInterval(() => {
      // The database is away: the next tick looks again.
      this.looking ??= this.look()
        .catch(() => undefined)
        .finally(() => (this.looking = null));
    }, tickMs);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Looks at every version that is due. */
  async look(): Promise<void> {
    const nowMs = this.store.nowMs();
    for (const { namespaceId, state } of this.deployments.all()) {
      for (const { buildId, drainage } of state.versions) {
        if (drainage?.status !== DrainageStatus.Draining) continue;
        const first = drainage.checkedMs === drainage.changedMs;
        const dueMs = drainage.checkedMs + (first ? this.times.gracePeriodMs : this.times.intervalMs);
        if (dueMs > nowMs) continue;
        const version = versionText({ deploymentName: state.name, buildId });
        const pinnedRuns = await this.store.deployments.hasPinnedRuns(namespaceId, version);
        await this.deployments.change(namespaceId, state.name, (newest, decision) => {
          const draining = findVersion(newest, buildId);
          // Somebody else was faster.
          if (draining === undefined || draining.drainage?.checkedMs !== drainage.checkedMs) return false;
          return drainageChecked(draining, pinnedRuns, decision.nowMs);
        });
      }
    }
  }
}
