/**
 * The steps of a move. Each looks at both engines as they are, does one thing, and says what is to be written down; killed in between, it is
 * done again and finds what it did.
 *
 * | step | what is true | next |
 * |---|---|---|
 * | begun | the old engine fires everything; the id is claimed for it | a paused copy stands on the new engine: ready |
 * | ready | as before; waits until none of its workflows runs (it may never wait for that with jitter) | its definition is kept: cutting |
 * | cutting | the old engine is given an end; whether it has it is asked there | it has: cut. It was changed meanwhile: ready |
 * | cut | times up to the cut are the old engine's, later ones the new one's | the old one has fired all of its own: drained |
 * | drained | the copy gets the definition, from the cut on | it fires; what came before it began is known: active |
 * | active | what came in between is made up for | filled |
 * | filled | the id moves, the old schedule is deleted | done |
 * | undone | the copy is gone; only up to `ready` | |
 */
import { randomInt, randomUUID } from 'node:crypto';
import { temporal } from '@temporalio/proto';
import { fromMs, int64, long, optionalMs } from '../../common/proto-values';
import type { ScheduleMoveRow } from '../../store/schedule-move-types';
import {
  type EngineSchedule,
  type SavedSchedule,
  endOf,
  notesOf,
  restored,
  runningOf,
  saved,
  shown,
  updatedAt,
} from './engine-schedule';
import { type Shown, type Stretch, cutOf, endFor, isConcurrent, isOver, madeUp, stretches } from './plan';

import Policy = temporal.api.enums.v1.ScheduleOverlapPolicy;

type Described = temporal.api.workflowservice.v1.IDescribeScheduleResponse;
type Schedule = temporal.api.schedule.v1.ISchedule;
type Execution = temporal.api.common.v1.IWorkflowExecution;

/** What the mover knows, as JSON. */
export interface MoveState {
  /** Cut even while workflows of it run: from then on (epoch ms). */
  patientUntilMs?: number;
  /** Conflict token of the definition that the copy has, base64. */
  copied?: string;
  /** As it was when it got its end, and that end. */
  was?: SavedSchedule;
  endMs?: number;
  /** Workflows of the old engine that ran after the cut, and until when one did (0 = none). */
  ran?: { workflowId: string; runId: string }[];
  busyMs?: number;
  quietLooks?: number;
  /** What the old engine left. */
  left?: { paused: boolean; notes: string; remainingActions: number };
  makeUp?: Stretch[];
  /** Why it was undone, or what went wrong. */
  message?: string;
}

export interface Move extends ScheduleMoveRow {
  state: MoveState;
}

export interface StepParts {
  from: EngineSchedule;
  to: EngineSchedule;
  /** Claims the id for the old engine unless one has it. Answers who has it. */
  claim(): Promise<string>;
  /** Gives the id to the new engine. False = others start it just now. */
  hand(): Promise<boolean>;
  /** Postgres's clock, epoch ms. */
  nowMs(): number;
}

/** What is to be written down; 'wait' = look again a little later. */
export type Next = Partial<Pick<Move, 'step' | 'cutMs' | 'state'>> | 'wait';

/** It cannot be moved: the copy goes, the old schedule stays as it is. */
export class CannotMove extends Error {}

/** Notes of the schedule while it is on two engines: for whoever looks at one of them alone. */
export const copyNotes = ({ id, from }: ScheduleMoveRow): string =>
  `Is handed over from ${from} and does nothing yet (branchline schedule move, ${id}).`;
const endNotes = ({ id, to }: ScheduleMoveRow, endMs: number): string =>
  `Is handed over to ${to}, which starts what comes after ${new Date(endMs).toISOString()} (branchline schedule move, ${id}).`;

type StepOf = (move: Move, parts: StepParts) => Promise<Next>;

export const steps: Record<Exclude<Move['step'], 'done' | 'undone'>, StepOf> = {
  begun,
  ready,
  cutting,
  cut,
  drained,
  active,
  filled,
};

async function begun(move: Move, { from, to, claim }: StepParts): Promise<Next> {
  const described = await present(from);
  const owner = await claim();
  if (owner !== move.from) throw new CannotMove(`it is on ${owner}, not on ${move.from}`);
  await makeCopy(move, described, to);
  return { step: 'ready', state: { ...move.state, copied: tokenOf(described) } };
}

async function ready(move: Move, { from, to, nowMs }: StepParts): Promise<Next> {
  const described = await present(from);
  const copy = await to.describe();
  if (copy === null) return { step: 'begun' };
  const now = nowMs();
  const impatient = now >= (move.state.patientUntilMs ?? Infinity);
  // Without patience what runs is left to the step after the cut.
  const looks: Shown = impatient ? { ...shown(described), buffered: 0, running: 0 } : shown(described);
  const endMs = endFor(looks, now, randomInt(1, 1000));
  if (endMs === null) return 'wait';
  if (tokenOf(described) !== move.state.copied) {
    // Others changed it. What the new engine would refuse it has to refuse before the cut.
    await to.update(dormant(move, described), copy.conflictToken, described.searchAttributes, randomUUID());
    return { state: { ...move.state, copied: tokenOf(described) } };
  }
  return { step: 'cutting', state: { ...move.state, was: saved(described), endMs } };
}

async function cutting(move: Move, { from }: StepParts): Promise<Next> {
  const { was, endMs } = definition(move);
  const end = async (): Promise<Next | undefined> => {
    const described = await present(from);
    if (endOf(described) !== endMs) {
      return tokenOf(described) === tokenOf(was) ? undefined : { step: 'ready' };
    }
    return { step: 'cut', cutMs: cutOf(endMs, updatedAt(described)) };
  };
  const known = await end();
  if (known !== undefined) return known;
  const { schedule } = was;
  await from.update(
    {
      ...schedule,
      spec: { ...schedule?.spec, endTime: fromMs(endMs) },
      state: { ...schedule?.state, notes: endNotes(move, endMs) },
    },
    was.conflictToken,
    was.searchAttributes,
    `${move.id}/${endMs}`,
  );
  return (await end()) ?? 'wait';
}

async function cut(move: Move, { from, to, nowMs }: StepParts): Promise<Next> {
  const { was } = definition(move);
  // Deleted meanwhile: then it starts nothing any more.
  const described = (await from.describe()) ?? { ...was, info: {} };
  const { policies, state } = described.schedule ?? {};
  const looks = shown(described);
  const running = isConcurrent(looks.policy) ? [] : runningOf(described);
  const ran = union(move.state.ran ?? [], running);
  if (!isOver(looks)) {
    await endForOverlap(move, looks.policy, running, from, to, nowMs());
    const more = ran.length > (move.state.ran?.length ?? 0);
    return more ? { state: { ...move.state, ran, quietLooks: 0 } } : 'wait';
  }
  const quietLooks = (move.state.quietLooks ?? 0) + 1;
  // Temporal's schedules look at how their workflows ended a moment later, and may pause for that.
  if (policies?.pauseOnFailure === true && quietLooks < 3) return { state: { ...move.state, ran, quietLooks } };
  const ends = await Promise.all(ran.map((execution) => from.endedAt(execution)));
  const left = {
    paused: state?.paused ?? false,
    notes: state?.notes === endNotes(move, move.state.endMs ?? 0) ? notesOf(was) : (state?.notes ?? ''),
    remainingActions: int64(state?.remainingActions),
  };
  return { step: 'drained', state: { ...move.state, ran, busyMs: Math.max(0, ...ends.map((end) => end ?? 0)), left } };
}

async function drained(move: Move, { to, nowMs }: StepParts): Promise<Next> {
  const { was } = definition(move);
  const cutMs = move.cutMs ?? 0;
  const { left = { paused: false, notes: '', remainingActions: 0 }, busyMs = 0 } = move.state;
  const copy = await to.describe();
  if (copy === null) {
    await makeCopy(move, was, to);
    return 'wait';
  }
  const { policy } = shown(was);
  const { schedule } = was;
  const limited = schedule?.state?.limitedActions === true;
  /** Times that came before `untilMs` and are not the old engine's. */
  const missed = async (untilMs: number): Promise<{ all: number[]; some: number[] }> => {
    const oldest = untilMs - (optionalMs(schedule?.policies?.catchupWindow) ?? Infinity);
    const all = left.paused ? [] : await to.times(Math.max(cutMs + 500, oldest), untilMs);
    const some = madeUp(policy, all, busyMs);
    return { all, some: limited ? some.slice(0, left.remainingActions) : some };
  };
  if (notesOf(copy) === copyNotes(move)) {
    const used = limited ? (await missed(nowMs())).some.length : 0;
    const startMs = Math.max(cutMs + 1000, optionalMs(schedule?.spec?.startTime) ?? 0);
    await to.update(
      {
        ...schedule,
        spec: { ...schedule?.spec, startTime: fromMs(startMs) },
        state: {
          ...schedule?.state,
          paused: left.paused,
          notes: left.notes,
          remainingActions: long(left.remainingActions - used),
        },
      },
      copy.conflictToken,
      was.searchAttributes,
      `${move.id}/active`,
    );
    return {};
  }
  const { all, some } = await missed(updatedAt(copy));
  return { step: 'active', state: { ...move.state, makeUp: stretches(all, some) } };
}

async function active(move: Move, { to }: StepParts): Promise<Next> {
  const { was } = definition(move);
  const { makeUp = [] } = move.state;
  const [first] = makeUp;
  // By the workflow of its first time it is seen that it was done before.
  if (first !== undefined && !(await to.hasWorkflow(workflowIdOf(was.schedule, first.fromMs)))) {
    await to.makeUp(makeUp, shown(was).policy, `${move.id}/made-up`);
  }
  return { step: 'filled' };
}

async function filled(move: Move, { from, hand }: StepParts): Promise<Next> {
  if (!(await hand())) return 'wait';
  const old = await from.describe();
  if (old === null) return { step: 'done' };
  if (endOf(old) === move.state.endMs) {
    await from.remove();
    return { step: 'done' };
  }
  const message = `Others changed it on ${move.from} while it was handed over: it still is there, beside the one on ${move.to}.`;
  return { step: 'done', state: { ...move.state, message } };
}

async function present(schedule: EngineSchedule): Promise<Described> {
  const described = await schedule.describe();
  if (described === null) throw new CannotMove(`${schedule.engine} does not have it`);
  return described;
}

async function makeCopy(move: Move, described: Described, to: EngineSchedule): Promise<void> {
  if (await to.create(dormant(move, described), described, move.id)) return;
  const there = await to.describe();
  if (there !== null && notesOf(there) !== copyNotes(move)) {
    throw new CannotMove(`${move.to} has a schedule of that id`);
  }
}

/** CANCEL_OTHER and TERMINATE_OTHER: the first time that is the new engine's ends what runs on the old one. */
async function endForOverlap(
  move: Move,
  policy: Shown['policy'],
  running: Execution[],
  from: EngineSchedule,
  to: EngineSchedule,
  nowMs: number,
): Promise<void> {
  const terminate = policy === Policy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER;
  if (!terminate && policy !== Policy.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER) return;
  if (running.length === 0 || (await to.times((move.cutMs ?? 0) + 500, nowMs)).length === 0) return;
  for (const execution of running) await from.endWorkflow(execution, terminate, `${move.id}/overlap`);
}

function definition({ state: { was, endMs } }: Move): { was: Described; endMs: number } {
  if (was === undefined || endMs === undefined) throw new Error('a move that is past ready knows the definition');
  return { was: restored(was), endMs };
}

const tokenOf = ({ conflictToken }: Described): string => Buffer.from(conflictToken ?? []).toString('base64');

const dormant = (move: Move, { schedule }: Described): Schedule => ({
  ...schedule,
  state: { ...schedule?.state, paused: true, notes: copyNotes(move) },
});

function union(known: { workflowId: string; runId: string }[], more: Execution[]): typeof known {
  const all = new Map(known.map((execution) => [execution.workflowId, execution]));
  for (const { workflowId, runId } of more)
    all.set(workflowId ?? '', { workflowId: workflowId ?? '', runId: runId ?? '' });
  return [...all.values()];
}

const workflowIdOf = (schedule: Schedule | null | undefined, timeMs: number): string =>
  `${schedule?.action?.startWorkflow?.workflowId ?? ''}-${new Date(timeMs).toISOString().replace('.000Z', 'Z')}`;
