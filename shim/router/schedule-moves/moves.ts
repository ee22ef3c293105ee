/** Handing schedules over from engine to engine: who may, who works on it, and who goes on when that one dies. The steps are in steps.ts. */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@temporalio/common';
import { BranchlineError } from '../../common/branchline-error';
import type { RoutedKey, RoutingStore } from '../../store/routing-types';
import type { ScheduleMoveRow, ScheduleMoveStore } from '../../store/schedule-move-types';
import type { Engines } from '../engines';
import { Code, isGrpcError, isRefusal, refusal } from '../errors';
import type { Owners } from '../owners';
import { timely } from '../timely';
import { EngineSchedule, notesOf } from './engine-schedule';
import { CannotMove, type Move, type Next, type StepParts, copyNotes, steps } from './steps';

export interface MoveScheduleOptions {
  /** Name of the engine that is to have it. */
  to: string;
  /** Default 'default'. */
  namespace?: string;
  /** Who moves it, for the record. */
  by?: string;
  reason?: string;
  /**
   * The cut is made when none of its workflows runs, so that the old engine itself has heeded the overlap policy; ALLOW_ALL never waits. After this many
   * ms it is made nevertheless, and the new engine begins when those workflows have ended. Default: it waits.
   */
  cutAfterMs?: number;
  signal?: AbortSignal;
}

/** A schedule's way from one engine to another. */
export interface ScheduleMove {
  id: string;
  namespace: string;
  scheduleId: string;
  from: string;
  to: string;
  step: ScheduleMoveRow['step'];
  /** Times up to this one are started by `from`, later ones by `to`. Undefined = not decided, `from` starts all. */
  cutAt: Date | undefined;
  movedBy: string;
  reason: string;
  begunAt: Date;
  changedAt: Date;
  message: string | undefined;
}

export interface MovesSetting {
  engines: Engines;
  store: ScheduleMoveStore;
  routing: RoutingStore;
  owners: Owners;
  logger: Logger;
  /** Of this process's lease. */
  processId: string;
  now(): number;
}

const HOLD_MS = 15_000;
/** Nothing is changed on an engine with less of the hold left than a call may take. */
const CALL_MS = 6000;
const LOOK_EVERY_MS = 5000;
const AT_ONCE = 50;
/** Looks while it waits: often at first. */
const WAIT_MS = { first: 100, most: 500 };
/** An engine may be away that long before `move` gives up and leaves the move to others. */
const AWAY_MS = 30_000;

/** May be undone until then: the old engine has not been told of an end. */
const UNDOABLE: ReadonlySet<Move['step']> = new Set(['begun', 'ready', 'cutting']);
/** Definition and state belong to the move. */
const HANDED_OVER: ReadonlySet<Move['step']> = new Set(['cutting', 'cut', 'drained', 'active', 'filled']);

const keyOf = ({ namespace, scheduleId }: Pick<Move, 'namespace' | 'scheduleId'>): RoutedKey => ({
  namespace,
  kind: 'schedule',
  id: scheduleId,
});

export class ScheduleMoves {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private readonly closed = new AbortController();

  constructor(private readonly setting: MovesSetting) {}

  /** Goes on with the moves of movers that died. */
  start(): void {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.closed.abort();
    await this.looking;
  }

  /**
   * Moves a schedule, or goes on with a move of it that was begun; resolves when it is done. Each of its times is started by one engine, once, whoever dies when.
   * @throws BranchlineError BRANCHLINE_SCHEDULE_MOVE when it cannot be moved (nothing is changed then); an error of an engine that is away for long
   * (the move stays open, and other routed processes go on with it)
   */
  async move(scheduleId: string, options: MoveScheduleOptions): Promise<ScheduleMove> {
    const { to, namespace = 'default', by = '', reason = '', cutAfterMs, signal } = options;
    const { engines, store, owners, now } = this.setting;
    engines.get(to);
    const open = await store.openMove(namespace, scheduleId);
    if (open !== null) {
      if (open.to !== to) throw refused(`'${scheduleId}' is on its way to ${open.to}: finish that, or undo it.`);
      return this.run(open, signal);
    }
    const owner = await owners.look(keyOf({ namespace, scheduleId }));
    if (owner === undefined) throw refused(`No engine has a schedule '${scheduleId}' in namespace '${namespace}'.`);
    if (owner.engine === to) throw refused(`'${scheduleId}' is on ${to} already.`);
    const state = cutAfterMs === undefined ? {} : { patientUntilMs: now() + cutAfterMs };
    const begun = await store.begin(
      { id: randomUUID(), namespace, scheduleId, from: owner.engine, to, state, movedBy: by, reason },
      this.holder(),
      0,
    );
    if (begun === null) throw refused(`'${scheduleId}' has just been begun to be moved by somebody else.`);
    return this.run(begun, signal);
  }

  /** Takes back a move before its cut. @throws BranchlineError BRANCHLINE_SCHEDULE_MOVE when there is none, or it is past that */
  async undo(scheduleId: string, namespace = 'default'): Promise<ScheduleMove> {
    const open = await this.setting.store.openMove(namespace, scheduleId);
    if (open === null) throw refused(`'${scheduleId}' is not being moved.`);
    const holder = this.holder();
    let move = (await this.setting.store.take(open.id, holder, HOLD_MS)) as Move | null;
    if (move === null) throw refused(`Somebody works on the move of '${scheduleId}'. Stop that one first.`);
    const hold = new Hold();
    // Whether the old engine knows of the end is only known when asked.
    if (move.step === 'cutting') move = await this.step(move, holder, hold);
    if (!UNDOABLE.has(move.step) || move.step === 'cutting') {
      await this.setting.store.letGo(open.id, holder);
      throw refused(
        `'${scheduleId}' is past the cut (${move.step}): finish the move (the same command again), and move it back.`,
      );
    }
    return shownMove(await this.giveUp(move, holder, hold, 'undone'));
  }

  /** Moves that are not done yet, of all schedules, oldest first. */
  async open(limit = 1000): Promise<ScheduleMove[]> {
    return (await this.setting.store.openMoves(false, limit)).map(shownMove);
  }

  /** Moves of a schedule, newest first: which engine starts which of its times. */
  async of(scheduleId: string, namespace = 'default', limit = 100): Promise<ScheduleMove[]> {
    return (await this.setting.store.movesOf(namespace, scheduleId, limit)).map(shownMove);
  }

  /** @throws GrpcError UNAVAILABLE while the schedule is between two engines: a change would be lost */
  async refuseWhileMoving({ namespace, id }: RoutedKey): Promise<void> {
    const move = await timely(this.setting.store.openMove(namespace, id));
    if (move === null || !HANDED_OVER.has(move.step)) return;
    throw refusal(
      Code.UNAVAILABLE,
      'BRANCHLINE_SCHEDULE_MOVING',
      `schedule '${id}' is being handed over from ${move.from} to ${move.to}. Try again in a moment.`,
    );
  }

  /** Of schedules that are on two engines, the copies that lists do not show: `engine/id`. */
  async hidden(namespace: string): Promise<Set<string>> {
    const open = await timely(this.setting.store.openMoves(false, AT_ONCE * 20));
    return new Set(
      open
        .filter((move) => move.namespace === namespace)
        .map(({ step, from, to, scheduleId }) => `${step === 'filled' ? from : to}/${scheduleId}`),
    );
  }

  /** One look at a time, at moves that nobody works on; never throws. */
  look(): Promise<void> {
    return (this.looking ??= this.lookOnce()
      .catch((error: unknown) => this.setting.logger.warn('Moves of schedules could not be looked at', { error }))
      .finally(() => (this.looking = undefined)));
  }

  private async lookOnce(): Promise<void> {
    const { store, engines, logger } = this.setting;
    for (const { id, from, to } of await store.openMoves(true, AT_ONCE)) {
      if (!engines.names.includes(from) || !engines.names.includes(to)) continue;
      const holder = this.holder();
      const move = (await store.take(id, holder, HOLD_MS)) as Move | null;
      if (move === null) continue;
      try {
        await this.goOn(move, holder, new Hold());
      } catch (error) {
        logger.warn(`The move of schedule ${move.scheduleId} to ${to} does not go on`, { error });
      }
      await store.letGo(id, holder);
    }
  }

  private async run(begun: ScheduleMoveRow, signal: AbortSignal | undefined): Promise<ScheduleMove> {
    const { store } = this.setting;
    const holder = this.holder();
    let awaySince: number | undefined;
    try {
      for (let pauseMs = WAIT_MS.first; ; pauseMs = Math.min(pauseMs * 1.2, WAIT_MS.most)) {
        signal?.throwIfAborted();
        this.closed.signal.throwIfAborted();
        const hold = new Hold();
        const move = (await store.take(begun.id, holder, HOLD_MS)) as Move | null;
        if (move !== null) {
          try {
            const gone = await this.goOn(move, holder, hold);
            awaySince = undefined;
            if (gone.step === 'done') return shownMove(gone);
            if (gone.step === 'undone')
              throw refused(`'${gone.scheduleId}' stays on ${gone.from}: ${gone.state.message}.`);
          } catch (error) {
            if (!isGrpcError(error)) throw error;
            awaySince ??= performance.now();
            if (performance.now() - awaySince > AWAY_MS) throw error;
          }
        } else {
          // Another process works on it, or has done it.
          const [newest] = (await store.movesOf(begun.namespace, begun.scheduleId, 20)).filter(
            ({ id }) => id === begun.id,
          );
          if (newest?.step === 'done') return shownMove(newest);
          if (newest?.step === 'undone') throw refused(`The move of '${begun.scheduleId}' was undone.`);
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    } finally {
      await store.letGo(begun.id, holder).catch(() => undefined);
    }
  }

  /** Steps until it is over or has to wait. */
  private async goOn(taken: Move, holder: string, hold: Hold): Promise<Move> {
    let move = taken;
    while (move.step !== 'done' && move.step !== 'undone') {
      let next: Move;
      try {
        next = await this.step(move, holder, hold);
      } catch (error) {
        const cannot = error instanceof CannotMove || (isRefusal(error) && UNDOABLE.has(move.step));
        if (!cannot || !UNDOABLE.has(move.step)) throw error;
        return this.giveUp(move, holder, hold, (error as Error).message);
      }
      if (next === move) return move;
      move = next;
    }
    return move;
  }

  /** The same move when it has to wait. */
  private async step(move: Move, holder: string, hold: Hold): Promise<Move> {
    if (move.step === 'done' || move.step === 'undone') return move;
    const next: Next = await steps[move.step](move, this.partsOf(move, hold));
    return next === 'wait' ? move : this.save({ ...move, ...next }, holder, hold);
  }

  private async save(move: Move, holder: string, hold: Hold): Promise<Move> {
    if (!(await this.setting.store.save(move.id, holder, HOLD_MS, move))) {
      throw refused(`Another process has taken over the move of '${move.scheduleId}'.`);
    }
    hold.renewed();
    return move;
  }

  /** The copy goes; the old schedule is as it was. */
  private async giveUp(move: Move, holder: string, hold: Hold, message: string): Promise<Move> {
    const { to } = this.partsOf(move, hold);
    const copy = await to.describe();
    if (copy !== null && notesOf(copy) === copyNotes(move)) await to.remove();
    return this.save({ ...move, step: 'undone', state: { ...move.state, message } }, holder, hold);
  }

  private partsOf(move: Move, hold: Hold): StepParts {
    const { engines, routing, now } = this.setting;
    const { namespace, scheduleId } = move;
    const key = keyOf(move);
    const on = (engine: string): EngineSchedule =>
      new EngineSchedule(engines, engine, namespace, scheduleId, () => hold.check());
    // A start of the id, so that nobody else moves it meanwhile; whoever goes on with the move finds it as its own.
    const token = `schedule-move/${move.id}`;
    return {
      from: on(move.from),
      to: on(move.to),
      nowMs: now,
      claim: async () => {
        const { engine } = await timely(routing.beginStart(key, move.from, token));
        await timely(routing.endStart(key, [token], engine === move.from));
        return engine;
      },
      hand: async () => {
        const begun = await timely(routing.beginStart(key, move.from, token));
        const moved =
          begun.engine === move.to ||
          (begun.alone && (await timely(routing.moveId(key, { version: begun.version, token }, move.to))));
        await timely(routing.endStart(key, [token], true));
        return moved;
      },
    };
  }

  private holder(): string {
    return `${this.setting.processId}/${randomUUID().slice(0, 8)}`;
  }
}

/** How long nobody else works on it: from before it was asked for. */
class Hold {
  private since = performance.now();

  renewed(): void {
    this.since = performance.now();
  }

  check(): void {
    if (performance.now() - this.since > HOLD_MS - CALL_MS) {
      throw refusal(
        Code.ABORTED,
        'BRANCHLINE_SCHEDULE_MOVE_STALLED',
        'this process stood still; others may have taken over.',
      );
    }
  }
}

const refused = (message: string): BranchlineError => new BranchlineError('BRANCHLINE_SCHEDULE_MOVE', message);

function shownMove(row: ScheduleMoveRow): ScheduleMove {
  const { id, namespace, scheduleId, from, to, step, cutMs, movedBy, reason, begunMs, changedMs } = row;
  return {
    id,
    namespace,
    scheduleId,
    from,
    to,
    step,
    cutAt: cutMs === null ? undefined : new Date(cutMs),
    movedBy,
    reason,
    begunAt: new Date(begunMs),
    changedAt: new Date(changedMs),
    message: (row as Move).state.message,
  };
}
