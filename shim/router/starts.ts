/**
 * Starts over several engines. The start is written down before any engine hears of it, on the engine that has the id or on the one that the routes
 * say; while it is under way the id cannot move. So however many processes start one id at once, they all go to one engine, and its own
 * id policies hold.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@temporalio/common';
import { grpcError } from '../client/grpc-error';
import { ServiceError } from '../service/errors';
import { checkReuse, idPolicies } from '../service/id-policies';
import type { RoutedKey, RoutedStart, RoutingStore } from '../store/routing-types';
import type { Engines } from './engines';
import { Code, isOutOfReach, isRefusal, isStatus, outOfDate } from './errors';
import { type NewestRun, type Owners, isOpen, ownerOf } from './owners';
import { timely } from './timely';
import type { StartPart } from './ways';

type Policies = ReturnType<typeof idPolicies>;

/**
 * What an engine says of an id that another engine is to have: it knows nothing of it, its last run is closed and may be followed by another,
 * or it keeps it (a run is open, or the id policies forbid another one, in which case its own refusal is the answer).
 */
type Claim = 'unknown' | 'closed' | 'keeps';
type AskClaim = (engine: string) => Promise<Claim>;

/** `judged`: the reuse policy was held against the id's last run already, which is on another engine. */
export type Send = (engine: string, judged: boolean) => Promise<object>;

/** Where a start would go. */
export interface Wanted {
  engine: string;
  /** Only if no engine has or had the id: one that has stays where it is. */
  onlyIfNew: boolean;
}

interface Choice {
  engine: string;
  judged: boolean;
}

/** How often a start waits for others of the same id to end, before it goes to the engine that has the id. */
const MOVE_ATTEMPTS = 5;
const MOVE_PAUSE_MS = 20;

export interface StartSetting {
  engines: Engines;
  store: RoutingStore;
  owners: Owners;
  logger: Logger;
  /** Of this process's lease. */
  processId: string;
  /** An engine whose answer nobody got may have done it: after that time it is asked, ms. */
  graceMs: number;
}

/** A start that began and of which nobody knows yet how it ended. */
export interface Unsettled {
  key: RoutedKey;
  token: string;
  engine: string;
  sinceMs: number;
}

export class Starts {
  /** Of this process; the reconciler asks the engines after them. */
  readonly unsettled = new Set<Unsettled>();
  /** What the tokens of this process's starts begin with. */
  readonly tokens: string;
  /** Tokens of starts that this process has not done with. */
  private readonly underWay = new Set<string>();
  private count = 0;
  private readonly ending = new Set<Promise<void>>();

  constructor(private readonly setting: StartSetting) {
    this.tokens = `${setting.processId}/${randomUUID().slice(0, 8)}-`;
  }

  /** @throws GrpcError */
  async startWorkflow(
    key: RoutedKey,
    wanted: Wanted,
    start: StartPart,
    defaultConflict: 'fail' | 'useExisting',
    send: Send,
    /** A run that only stands for the one that is started: it has no say. */
    stub?: string,
  ): Promise<object> {
    let policies: Policies;
    try {
      policies = idPolicies(start.workflowIdReusePolicy, start.workflowIdConflictPolicy, defaultConflict);
    } catch (error) {
      throw error instanceof ServiceError ? grpcError(error) : error;
    }
    return this.start(key, wanted, send, async (engine) => {
      const run = await this.setting.owners.newestRun(engine, key);
      if (run === null || run.runId === stub) return 'unknown';
      return mayFollow(run, key.id, policies) ? 'closed' : 'keeps';
    });
  }

  /** A schedule never moves by being created. @throws GrpcError */
  async createSchedule(key: RoutedKey, wanted: string, send: Send): Promise<object> {
    return this.start(key, { engine: wanted, onlyIfNew: false }, send, async (engine) =>
      (await this.setting.owners.hasSchedule(engine, key)) ? 'keeps' : 'unknown',
    );
  }

  /** Waits until all that was done is written down. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.ending]);
  }

  /** False for a start of this process that is over, though Postgres may not know of its end. */
  isUnderWay(token: string): boolean {
    return this.underWay.has(token);
  }

  /** The engine was asked how that one ended. */
  settled(open: Unsettled): void {
    this.unsettled.delete(open);
    this.underWay.delete(open.token);
  }

  /** Written down in the background: nobody waits for it, and what is not written, or lost in a crash, is made up for by the reconciler. */
  private end(key: RoutedKey, token: string, settled: boolean): void {
    this.underWay.delete(token);
    const ended = this.setting.store
      .endStart(key, [token], settled)
      .catch((error: unknown) => this.setting.logger.warn('The end of a start could not be written down', { error }))
      .finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }

  private async start(key: RoutedKey, wanted: Wanted, send: Send, claim: AskClaim): Promise<object> {
    const { owners } = this.setting;
    for (let attempt = 1; ; attempt++) {
      const token = `${this.tokens}${++this.count}`;
      this.underWay.add(token);
      const begunAt = performance.now();
      // Most ids are new: others are asked at the same time. What they say counts only if nobody has started it through us.
      const elsewhere =
        owners.remembered(key) === undefined ? this.askOthers(key, wanted.engine, claim, wanted.onlyIfNew) : undefined;
      elsewhere?.catch(() => undefined);
      const begun = await this.begin(key, wanted.engine, token);
      let choice: Choice | null;
      try {
        choice = await this.engineFor(key, wanted, token, begun, elsewhere, claim, attempt);
      } catch (error) {
        this.end(key, token, false);
        throw error;
      }
      if (choice === null) {
        // Others start it just now: when they are done the id may move.
        this.end(key, token, begun.settled);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * MOVE_PAUSE_MS * attempt));
        continue;
      }
      if (performance.now() - begunAt > this.setting.graceMs / 2) {
        // This process stood still: others may have taken the start for abandoned.
        this.end(key, token, false);
        throw outOfDate(key.id);
      }
      return this.send(key, token, choice, begun, send);
    }
  }

  private async begin(key: RoutedKey, wanted: string, token: string): Promise<RoutedStart> {
    const begun = this.setting.store.beginStart(key, wanted, token);
    try {
      return await timely(begun);
    } catch (error) {
      // Postgres may do it yet.
      begun.then(
        () => this.end(key, token, false),
        () => this.underWay.delete(token),
      );
      throw error;
    }
  }

  /** The engine that takes this start; null = try again. */
  private async engineFor(
    key: RoutedKey,
    { engine: wanted, onlyIfNew }: Wanted,
    token: string,
    begun: RoutedStart,
    asked: Promise<string | undefined> | undefined,
    claim: AskClaim,
    attempt: number,
  ): Promise<Choice | null> {
    const { store } = this.setting;
    const owner = begun.engine;
    const stays: Choice = { engine: owner, judged: false };
    if (!begun.settled) {
      // Nobody knows yet that the engine of the reservation has it: an id that others started elsewhere before stays there.
      const other = await (asked !== undefined && owner === wanted
        ? asked
        : this.askOthers(key, owner, claim, onlyIfNew));
      if (other === undefined) return stays;
      const adopted = await timely(store.adoptId(key, other));
      return adopted === other ? { engine: other, judged: false } : null;
    }
    if (owner === wanted || onlyIfNew) {
      if (begun.past.length === 0) return stays;
      // It moved here, and the start that moved it may never have arrived: then the reuse policy is a matter of the engine before.
      const { said, by } = await this.lastSay(begun, claim);
      return said === 'keeps' ? { engine: by, judged: false } : stays;
    }
    // Moving: only when nothing is under way, and nothing is left there that this start would have to respect.
    const again = attempt < MOVE_ATTEMPTS ? null : stays;
    if (!begun.alone) return again;
    let last: { said: Claim; by: string };
    try {
      last = await this.lastSay(begun, claim);
    } catch (error) {
      // The engine that has it is away: it alone can say whether a run is open.
      if (isOutOfReach(error)) return stays;
      throw error;
    }
    if (last.said === 'keeps') return { engine: last.by, judged: false };
    if (!(await timely(store.moveId(key, { version: begun.version, token }, wanted)))) return again;
    begun.past = [...begun.past.filter((name) => name !== wanted && name !== owner), owner];
    return { engine: wanted, judged: last.said === 'closed' };
  }

  /** What the engine says that has the id, or, when it knows nothing of it, the last one before that does. @throws GrpcError */
  private async lastSay({ engine, past }: RoutedStart, claim: AskClaim): Promise<{ said: Claim; by: string }> {
    for (const by of [engine, ...[...past].reverse()]) {
      const said = await claim(by);
      if (said !== 'unknown') return { said, by };
    }
    return { said: 'unknown', by: engine };
  }

  /** The engine, other than `engine`, that keeps the id (`anyRun`: or had it); undefined = none. */
  private async askOthers(
    key: RoutedKey,
    engine: string,
    claim: AskClaim,
    anyRun: boolean,
  ): Promise<string | undefined> {
    const others = this.setting.engines.all.filter(({ name, startedElsewhere }) => name !== engine && startedElsewhere);
    const keeps = await Promise.all(
      others.map(async ({ name }) => {
        try {
          const said = await claim(name);
          return said === 'keeps' || (anyRun && said === 'closed');
        } catch (error) {
          if (!isOutOfReach(error)) throw error;
          this.setting.logger.warn(
            `Engine '${name}' is away: whether ${key.id} was started there by others than the router is not known. It is started on '${engine}'.`,
            { code: 'BRANCHLINE_ROUTER_UNVERIFIED_START', engine: name, workflowId: key.id },
          );
          return false;
        }
      }),
    );
    return others.find((_, i) => keeps[i])?.name;
  }

  private async send(
    key: RoutedKey,
    token: string,
    { engine, judged }: Choice,
    begun: RoutedStart,
    send: Send,
  ): Promise<object> {
    const { owners } = this.setting;
    const open: Unsettled = { key, token, engine, sinceMs: performance.now() };
    this.unsettled.add(open);
    try {
      const answer = await send(engine, judged);
      this.unsettled.delete(open);
      owners.remember(key, { ...ownerOf(begun), engine });
      this.end(key, token, true);
      return answer;
    } catch (error) {
      // Without an answer the reservation stays: who tries again comes to the same engine.
      if (!isRefusal(error)) throw error;
      this.unsettled.delete(open);
      this.end(key, token, isStatus(error, Code.ALREADY_EXISTS));
      throw error;
    }
  }
}

/** May another run, on whichever engine, follow that one? */
function mayFollow(run: NewestRun, workflowId: string, { reuse }: Policies): boolean {
  if (isOpen(run.status)) return false;
  try {
    checkReuse(reuse, workflowId, { ...run, startRequestId: '', firstRunId: run.runId } as never);
    return true;
  } catch {
    return false;
  }
}
