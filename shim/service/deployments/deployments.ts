/**
 * The worker deployments of all namespaces: in memory for routing, changed in the store under a fence. Other processes hear of a change by a
 * notice. While there are none they cost one statement per process.
 */
import { Acknowledgements } from './acknowledgements';
import type { DeploymentStore, LoadedDeployment, Notice, Store } from '../../store/types';
import { findVersion, newDeployment, registerWorker } from '../engine/deployments/decide';
import { MAX_DEPLOYMENTS } from '../engine/deployments/limits';
import { checkBuildId, checkDeploymentName, checkPollerVersion } from '../engine/deployments/names';
import { KnownRouting } from '../engine/deployments/routing';
import { type DeploymentState, type VersionState, VersionStatus } from '../engine/deployments/types';
import type { Limits } from '../engine/types';
import type { QueueKind, Routing } from '../engine/versioning/routing';
import { type DeploymentVersion, versionText } from '../engine/versioning/version';
import { Code, ServiceError, resourceExhausted } from '../errors';
import { physicalName } from '../matching/physical-queue';
import { POLLED_WINDOW_MS } from '../matching/task-queue';

/** A lost race is tried again this often. */
const MAX_RACES = 50;
/** What was changed while this process was just joining the others is seen by a second look, ms. */
const SECOND_LOOK_MS = 5000;

export interface ChangedQueue {
  namespaceId: number;
  name: string;
  kind: QueueKind;
}

export interface DeploymentsParts {
  store: Pick<Store, 'nowMs' | 'onNotice' | 'notify' | 'pollers' | 'liveProcesses' | 'processId'> & {
    readonly deployments: DeploymentStore;
  };
  limits: Limits;
  /** Tasks of these queues may belong to other versions now. */
  routingChanged(queues: ChangedQueue[], own: boolean): void;
}

/** What a change is decided on. */
export interface Decision {
  nowMs: number;
  /** Has the version had a poll lately, anywhere? */
  hasPollers(version: VersionState): boolean;
}

export class Deployments {
  private known = new Map<number, { states: Map<string, DeploymentState>; routing: KnownRouting }>();
  private refreshing: Promise<void> | null = null;
  private again = false;
  /** This process has made a change that the next look will see. */
  private own = false;
  private readonly registering = new Map<string, Promise<void>>();
  private readonly acknowledgements: Acknowledgements;
  private readonly stopNotices: () => void;
  private readonly secondLook: NodeJS.Timeout;
  /** Fulfilled when the first look is done. */
  readonly ready: Promise<void>;
  loaded = false;

  constructor(private readonly parts: DeploymentsParts) {
    this.acknowledgements = new Acknowledgements(parts.store);
    this.stopNotices = parts.store.onNotice((notice: Notice) => {
      if (notice.kind === 'deploymentsSeen') this.acknowledgements.heard(notice);
      else if (notice.kind === 'missed') void this.refresh().catch(() => undefined);
      else if (notice.kind === 'deployments') {
        const { change } = notice;
        this.refresh().then(
          () => this.acknowledgements.seen(change),
          () => undefined,
        );
      }
    });
    this.ready = this.refresh().then(
      () => void (this.loaded = true),
      // Without a database nothing is routed anyway; a notice or the second look makes up for it.
      () => void (this.loaded = true),
    );
    this.secondLook = setTimeout(() => void this.refresh().catch(() => undefined), SECOND_LOOK_MS);
    this.secondLook.unref();
  }

  /** Null while the namespace has no deployments. */
  routing(namespaceId: number): Routing | null {
    return this.known.size === 0 ? null : (this.known.get(namespaceId)?.routing ?? null);
  }

  isDrained(namespaceId: number, { deploymentName, buildId }: DeploymentVersion): boolean {
    const state = this.known.get(namespaceId)?.states.get(deploymentName);
    return state !== undefined && findVersion(state, buildId)?.status === VersionStatus.Drained;
  }

  /** Task queues that versions have polled. */
  queues(): (ChangedQueue & { versions: ReadonlySet<string> })[] {
    return [...this.known].flatMap(([namespaceId, { routing }]) =>
      routing.all().map((queue) => ({ namespaceId, ...queue })),
    );
  }

  /** As known here. */
  all(): { namespaceId: number; state: DeploymentState }[] {
    return [...this.known].flatMap(([namespaceId, { states }]) =>
      [...states.values()].map((state) => ({ namespaceId, state })),
    );
  }

  /** Newest. */
  async load(namespaceId: number, name: string): Promise<DeploymentState | null> {
    return (await this.parts.store.deployments.load({ namespaceId, name }))?.state ?? null;
  }

  /** By name. */
  async list(namespaceId: number): Promise<DeploymentState[]> {
    await this.refresh();
    const states = [...(this.known.get(namespaceId)?.states.values() ?? [])];
    return states.sort((a, b) => b.createdMs - a.createdMs || (a.name < b.name ? -1 : 1));
  }

  /** A worker of that version is about to poll; its version and task queue are known before it gets anything. */
  async register(namespaceId: number, version: DeploymentVersion, taskQueue: string, kind: QueueKind): Promise<void> {
    checkPollerVersion(version);
    const served = this.routing(namespaceId)?.queue(taskQueue, kind)?.versions;
    if (served?.has(versionText(version)) === true) return;
    checkDeploymentName(version.deploymentName, this.parts.limits);
    checkBuildId(version.buildId, this.parts.limits);
    const key = `${namespaceId}/${kind}/${physicalName(taskQueue, version)}`;
    let registering = this.registering.get(key);
    if (registering === undefined) {
      const { buildId, deploymentName } = version;
      registering = this.change(
        namespaceId,
        deploymentName,
        (state, { nowMs, hasPollers }) => registerWorker(state, { buildId, taskQueue, kind }, nowMs, hasPollers),
        { absent: 'create' },
      ).then(() => undefined);
      this.registering.set(key, registering);
      const done = (): void => void this.registering.delete(key);
      registering.then(done, done);
    }
    await registering;
  }

  /**
   * Decides on the newest state and stores what came of it, again when another process was faster. `decide` answering false, or an object with
   * `changed: false`, leaves all as it is. Undefined when there is no such deployment, unless `absent` says to make it. `everywhere`: resolves when
   * all processes go by it.
   */
  async change<R>(
    namespaceId: number,
    name: string,
    decide: (state: DeploymentState, with_: Decision) => R,
    { absent, everywhere = false }: { absent?: 'create' | undefined; everywhere?: boolean } = {},
  ): Promise<{ value: R; state: DeploymentState } | undefined> {
    const { store } = this.parts;
    for (let race = 0; race < MAX_RACES; race++) {
      const [loaded, hasPollers] = await Promise.all([
        store.deployments.load({ namespaceId, name }),
        this.pollersOf(namespaceId, name),
      ]);
      if (loaded === null && absent === undefined) return undefined;
      const nowMs = store.nowMs();
      if (loaded === null && (this.known.get(namespaceId)?.states.size ?? 0) >= MAX_DEPLOYMENTS) {
        throw resourceExhausted(`reached maximum deployments in namespace (${MAX_DEPLOYMENTS})`);
      }
      const state = loaded?.state ?? newDeployment(name, nowMs);
      const value = decide(state, { nowMs, hasPollers });
      const changed = (value as { changed?: boolean } | null)?.changed ?? value;
      const stored =
        changed === false ||
        (loaded === null
          ? await store.deployments.create(namespaceId, state)
          : await store.deployments.change({ ...loaded, state }));
      if (!stored) continue;
      if (changed !== false) await this.announce(everywhere);
      return { value, state };
    }
    throw busy(name);
  }

  /** False when there was none. */
  async remove(namespaceId: number, name: string, check: (state: DeploymentState) => void): Promise<boolean> {
    for (let race = 0; race < MAX_RACES; race++) {
      const loaded = await this.parts.store.deployments.load({ namespaceId, name });
      if (loaded === null) return false;
      check(loaded.state);
      if (!(await this.parts.store.deployments.remove(loaded))) continue;
      await this.announce();
      return true;
    }
    throw busy(name);
  }

  close(): void {
    this.stopNotices();
    clearTimeout(this.secondLook);
  }

  private async pollersOf(namespaceId: number, name: string): Promise<(version: VersionState) => boolean> {
    const since = this.parts.store.nowMs() - POLLED_WINDOW_MS;
    const pollers = await this.parts.store.pollers(namespaceId);
    const polled = new Set(
      pollers.filter(({ lastPollMs }) => lastPollMs >= since).map(({ queue, kind }) => `${kind}/${queue}`),
    );
    return ({ buildId, taskQueues }) =>
      taskQueues.some((queue) =>
        polled.has(`${queue.kind}/${physicalName(queue.name, { deploymentName: name, buildId })}`),
      );
  }

  /** This process goes by the change before whoever asked for it is answered. */
  private async announce(everywhere = false): Promise<void> {
    this.own = true;
    await Promise.all([this.acknowledgements.tell(everywhere), this.refresh()]);
  }

  /** One look at a time; one that begins after this call has ended when it resolves. */
  refresh(): Promise<void> {
    if (this.refreshing !== null) {
      this.again = true;
      return this.refreshing;
    }
    this.refreshing = this.look().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  private async look(): Promise<void> {
    do {
      this.again = false;
      this.take(await this.parts.store.deployments.all());
    } while (this.again);
  }

  private take(rows: LoadedDeployment[]): void {
    const states = new Map<number, Map<string, DeploymentState>>();
    for (const { namespaceId, state } of rows) {
      let of = states.get(namespaceId);
      if (of === undefined) states.set(namespaceId, (of = new Map()));
      of.set(state.name, state);
    }
    const before = this.known;
    this.known = new Map(
      [...states].map(([id, of]) => [id, { states: of, routing: new KnownRouting(of.values()) }] as const),
    );
    const changed: ChangedQueue[] = [];
    for (const namespaceId of new Set([...before.keys(), ...this.known.keys()])) {
      const now = this.known.get(namespaceId)?.routing ?? new KnownRouting([]);
      const queues = now.changedSince(before.get(namespaceId)?.routing ?? null);
      changed.push(...queues.map((queue) => ({ namespaceId, ...queue })));
    }
    if (changed.length > 0) this.parts.routingChanged(changed, this.own);
    this.own = false;
  }
}

const busy = (name: string): ServiceError =>
  new ServiceError(Code.UNAVAILABLE, `Worker deployment ${name} could not be changed: too many concurrent changes.`);
