/** What all deployments of a namespace say of its task queues together (common/worker_versioning, CalculateTaskQueueVersioningInfo). */
import type { QueueKind, QueueRouting, Routing } from '../versioning/routing';
import { versionText } from '../versioning/version';
import { findVersion } from './decide';
import type { DeploymentState } from './types';

type Queue = { -readonly [K in keyof QueueRouting]: QueueRouting[K] } & { versions: Set<string> };

const keyOf = (name: string, kind: QueueKind): string => `${kind}/${name}`;

/** A queue that several deployments have polled belongs to the one that was made current, or to ramp, last. */
export class KnownRouting implements Routing {
  private readonly queues = new Map<string, Queue>();

  constructor(deployments: Iterable<DeploymentState>) {
    for (const deployment of deployments) this.add(deployment);
  }

  queue(name: string, kind: QueueKind): QueueRouting | undefined {
    return this.queues.get(keyOf(name, kind));
  }

  all(): { name: string; kind: QueueKind; versions: ReadonlySet<string> }[] {
    return [...this.queues].map(([key, { versions }]) => ({ ...split(key), versions }));
  }

  /** Queues on which tasks may go elsewhere than with `other`. */
  changedSince(other: KnownRouting | null): { name: string; kind: QueueKind }[] {
    const keys = new Set([...this.queues.keys(), ...(other?.queues.keys() ?? [])]);
    const changed = [...keys].filter(
      (key) => fingerprint(this.queues.get(key)) !== fingerprint(other?.queues.get(key)),
    );
    return changed.map(split);
  }

  private add(d: DeploymentState): void {
    for (const version of d.versions) {
      const { buildId, routingUpdatedMs, currentSinceMs, rampingSinceMs, rampPercentage } = version;
      const known = { deploymentName: d.name, buildId };
      for (const { name, kind } of version.taskQueues) {
        const queue = this.at(name, kind);
        queue.versions.add(versionText(known));
        if (currentSinceMs > 0 && routingUpdatedMs > queue.currentUpdatedMs) {
          queue.current = known;
          queue.currentUpdatedMs = routingUpdatedMs;
        }
        if (rampingSinceMs > 0 && routingUpdatedMs > (queue.ramping?.updatedMs ?? 0)) {
          queue.ramping = { version: known, percentage: rampPercentage, updatedMs: routingUpdatedMs };
        }
      }
    }
    // Workers without versioning can ramp on the queues of the current version.
    if (d.ramping !== null) return;
    for (const { name, kind } of findVersion(d, d.current)?.taskQueues ?? []) {
      const queue = this.at(name, kind);
      const updatedMs = d.rampPercentageChangedMs;
      if (updatedMs > (queue.ramping?.updatedMs ?? 0)) {
        queue.ramping = { version: null, percentage: d.rampPercentage, updatedMs };
      }
    }
  }

  private at(name: string, kind: QueueKind): Queue {
    const key = keyOf(name, kind);
    let queue = this.queues.get(key);
    if (queue === undefined) {
      this.queues.set(key, (queue = { versions: new Set(), current: null, currentUpdatedMs: 0, ramping: null }));
    }
    return queue;
  }
}

function split(key: string): { name: string; kind: QueueKind } {
  const slash = key.indexOf('/');
  return { kind: key.slice(0, slash) as QueueKind, name: key.slice(slash + 1) };
}

function fingerprint(queue: QueueRouting | undefined): string {
  if (queue === undefined) return '';
  const { current, ramping, versions } = queue;
  const ramp = ramping === null ? '' : `${versionText(ramping.version)} ${ramping.percentage}`;
  return JSON.stringify([versionText(current), ramp, [...versions].sort()]);
}
