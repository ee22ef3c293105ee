/** Keeps new starts of movable types from a loaded Postgres. One process at a time looks and writes down what follows; all read it. */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@temporalio/common';
import type { LoadCounters, LoadVerdict } from '../../store/load-types';
import type { Store } from '../../store/types';
import type { Decision } from '../routes/decide';
import type { Guard, Routes } from '../routes/schema';
import { OneAtATime } from '../one-at-a-time';
import { timely } from '../timely';
import { type Budgets, type Load, judge } from './budgets';
import { type GuardState, isDiverting, nextState } from './phases';

/** The application's own latency in ms, of all its processes if it can be had. */
export type LatencyFunction = () => number | Promise<number>;

export interface LoadGuardSetting {
  store: Pick<Store, 'load' | 'onNotice' | 'nowMs'>;
  routes: () => Routes;
  latency: LatencyFunction | undefined;
  logger: Logger;
}

/** While it is off somebody may turn it on. */
const IDLE_MS = 5000;
/** A verdict that is older than that many leases counts no more: nobody can look, or nobody has to. */
const STALE_LEASES = 2;
const LEAST_LEASE_MS = 2000;
/** The application's latency is not waited for longer, nor than half of the lease. */
const LATENCY_WITHIN_MS = 5000;

export class LoadGuard {
  /** Of this one among those that look. */
  private readonly id = randomUUID();
  private verdict: LoadVerdict | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly looks = new OneAtATime(() => this.lookSafely());
  private stopListening: (() => void) | undefined;
  private closed = false;
  private last: { counters: LoadCounters; atMs: number } | undefined;
  private commitMs: number | undefined;
  private readonly said = new Set<string>();
  /** Times that starts began to be diverted. */
  private episode = 0;

  constructor(private readonly setting: LoadGuardSetting) {}

  /** Reads what is known, and looks from then on. Never throws. */
  async start(): Promise<void> {
    this.stopListening = this.setting.store.onNotice(({ kind }) => {
      if (kind === 'load' || kind === 'routes' || kind === 'missed') void this.look();
    });
    await this.look();
    this.schedule();
  }

  /** The engine to which that start is diverted; undefined = it goes where the routes say. */
  diversion({ engine, rule: name }: Decision): string | undefined {
    const { guard, rules } = this.setting.routes();
    if (guard?.mode !== 'on' || engine !== guard.from || this.verdict?.diverting !== true) return undefined;
    const rule = rules.find((rule) => rule.name === name);
    if (rule?.movable !== true) return undefined;
    this.sayOnce(
      `${rule.name} ${this.episode}`,
      `New starts of rule '${rule.name}' go to '${guard.to}' instead of '${engine}'. ${this.verdict.reasons.join('; ')}`,
    );
    return guard.to;
  }

  /** Never throws. */
  look(): Promise<void> {
    return this.looks.run();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.stopListening?.();
    // Postgres may be away: whoever closes does not wait for it.
    await timely(this.leave()).catch(() => undefined);
  }

  private async leave(): Promise<void> {
    await this.looks.settled();
    if (this.last !== undefined) await this.setting.store.load.release(this.id);
  }

  private async lookSafely(): Promise<void> {
    if (this.closed) return;
    try {
      await this.lookOnce();
    } catch (error) {
      if (!this.closed) this.setting.logger.warn('The load of Postgres could not be looked at', { error });
    }
  }

  private schedule(): void {
    if (this.closed) return;
    const { guard } = this.setting.routes();
    const everyMs = guard === undefined || guard.mode === 'off' ? IDLE_MS : guard.sampleSeconds * 1000;
    this.timer = setTimeout(() => {
      void this.look().then(() => this.schedule());
    }, everyMs);
    this.timer.unref();
  }

  private async lookOnce(): Promise<void> {
    const { store, routes } = this.setting;
    const { guard } = routes();
    if (guard === undefined || guard.mode === 'off') {
      this.verdict = undefined;
      this.last = undefined;
      return;
    }
    const everyMs = guard.sampleSeconds * 1000;
    const leaseMs = Math.max(LEAST_LEASE_MS, 3 * everyMs);
    const staleMs = STALE_LEASES * leaseMs;
    if (await store.load.claim(this.id, leaseMs, everyMs / 2)) {
      await this.sample(guard, staleMs, Math.min(LATENCY_WITHIN_MS, leaseMs / 2));
    }
    const verdict = await store.load.read();
    this.heed(verdict === null || verdict.ageMs > staleMs ? undefined : verdict, guard);
  }

  private async sample(guard: Guard, staleMs: number, patienceMs: number): Promise<void> {
    const { store } = this.setting;
    const load = await this.measure(guard.budgets, patienceMs);
    const { level, reasons, unknown } = judge(load, guard.budgets, guard.relax);
    // The first look of a process has no rates yet.
    for (const name of unknown.filter((name) => name !== 'commitsPerSecond' && name !== 'latencyMs')) {
      this.sayOnce(`unknown ${name}`, `The load guard has a budget for ${name}, which cannot be measured here`);
    }
    const before = await store.load.read();
    const nowMs = store.nowMs();
    const state: GuardState =
      before === null || before.ageMs > staleMs
        ? { phase: 'calm', sinceMs: nowMs }
        : { phase: before.phase, sinceMs: before.sinceMs };
    const next = nextState(state, level, nowMs, {
      afterMs: guard.afterSeconds * 1000,
      quietMs: guard.quietSeconds * 1000,
    });
    const turned = isDiverting(next.phase) !== isDiverting(state.phase);
    // Reasons stay those for which it began.
    const why = isDiverting(next.phase) && reasons.length === 0 ? (before?.reasons ?? []) : reasons;
    const sentAt = performance.now();
    const written = await store.load.write(this.id, {
      ...next,
      load,
      reasons: why,
      event: turned ? { mode: guard.mode, diverting: isDiverting(next.phase), reasons: why, load } : null,
    });
    if (written) this.commitMs = performance.now() - sentAt;
  }

  private async measure(budgets: Budgets, patienceMs: number): Promise<Load> {
    const { store, latency } = this.setting;
    const counters = await store.load.counters(budgets.replicationLagSeconds !== undefined);
    const atMs = performance.now();
    const { last } = this;
    this.last = { counters, atMs };
    const elapsed = last === undefined ? 0 : (atMs - last.atMs) / 1000;
    return known({
      connections: counters.connections,
      deadTuples: counters.deadTuples,
      replicationLagSeconds: counters.replicationLagSeconds ?? undefined,
      commitsPerSecond:
        last === undefined || elapsed <= 0 ? undefined : (counters.writes - last.counters.writes) / elapsed,
      latencyMs:
        budgets.latencyMs === undefined
          ? undefined
          : latency === undefined
            ? this.commitMs
            : await this.asked(latency, patienceMs),
    });
  }

  private async asked(latency: LatencyFunction, patienceMs: number): Promise<number | undefined> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`no answer within ${patienceMs} ms`));
        }, patienceMs);
      });
      const ms = await Promise.race([latency(), late]);
      return Number.isFinite(ms) ? ms : undefined;
    } catch (error) {
      this.setting.logger.warn("The application's latency could not be asked", { error });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  private heed(verdict: LoadVerdict | undefined, { mode, to, from }: Guard): void {
    const was = this.verdict?.diverting ?? false;
    const is = verdict?.diverting ?? false;
    this.verdict = verdict;
    if (was === is) return;
    const { logger } = this.setting;
    const does = mode === 'on' ? 'go' : 'would go (dry run)';
    const reasons = verdict?.reasons ?? [];
    if (is) {
      this.episode++;
      logger.warn(`New starts of movable types ${does} from '${from}' to '${to}'. ${reasons.join('; ')}`, {
        mode,
        reasons,
      });
    } else {
      logger.warn(`New starts of movable types ${does} to '${from}' again`, { mode });
    }
  }

  private sayOnce(key: string, message: string): void {
    if (this.said.has(key)) return;
    // Episodes come and go.
    if (this.said.size > 1000) this.said.clear();
    this.said.add(key);
    this.setting.logger.warn(message);
  }
}

const known = (load: { [K in keyof Load]: Load[K] | undefined }): Load =>
  Object.fromEntries(Object.entries(load).filter(([, value]) => value !== undefined));
