/** One schedule on one engine, by the RPCs that every engine has. */
import { temporal } from '@temporalio/proto';
import { fromMs, int64, ms, optionalMs } from '../../common/proto-values';
import type { Engines } from '../engines';
import { Code, isStatus } from '../errors';
import type { Shown, Stretch } from './plan';

type Described = temporal.api.workflowservice.v1.IDescribeScheduleResponse;
type Schedule = temporal.api.schedule.v1.ISchedule;
type Execution = temporal.api.common.v1.IWorkflowExecution;
type WorkflowDescribed = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const PATIENCE_MS = 4000;
/** Times that one question is answered with. */
const TIMES_AT_ONCE = 1000;
const MOST_TIMES = 10_000;

/** A description as JSON. */
export type SavedSchedule = Record<string, unknown>;

const { DescribeScheduleResponse } = temporal.api.workflowservice.v1;

export const saved = (described: Described): SavedSchedule =>
  DescribeScheduleResponse.toObject(DescribeScheduleResponse.fromObject(described), { bytes: String, longs: String });
export const restored = (json: SavedSchedule): Described => DescribeScheduleResponse.fromObject(json);

export const endOf = ({ schedule }: Described): number | undefined => optionalMs(schedule?.spec?.endTime);
export const updatedAt = ({ info }: Described): number => ms(info?.updateTime);
export const notesOf = ({ schedule }: Described): string => schedule?.state?.notes ?? '';
export const runningOf = ({ info }: Described): Execution[] => info?.runningWorkflows ?? [];

export function shown(described: Described): Shown {
  const [nextMs, followingMs] = (described.info?.futureActionTimes ?? []).map(ms);
  return {
    policy: described.schedule?.policies?.overlapPolicy ?? 0,
    jittered: ms(described.schedule?.spec?.jitter) > 0,
    endMs: endOf(described),
    nextMs,
    gapMs: (followingMs ?? Infinity) - (nextMs ?? 0),
    buffered: int64(described.info?.bufferSize),
    running: runningOf(described).length,
  };
}

export class EngineSchedule {
  constructor(
    private readonly engines: Engines,
    readonly engine: string,
    private readonly namespace: string,
    private readonly scheduleId: string,
    /** Throws when the schedule is not ours to change any more. */
    private readonly mayChange: () => void,
  ) {}

  /** Null = there is none. @throws GrpcError */
  describe(): Promise<Described | null> {
    return unlessMissing(this.ask<Described>('describeSchedule', {}));
  }

  /** False when the id is taken, perhaps by an earlier call of ours. @throws GrpcError */
  async create(
    schedule: Schedule,
    { memo, searchAttributes }: Pick<Described, 'memo' | 'searchAttributes'>,
    requestId: string,
  ): Promise<boolean> {
    try {
      await this.change('createSchedule', { schedule, memo, searchAttributes, requestId });
      return true;
    } catch (error) {
      if (isStatus(error, Code.ALREADY_EXISTS)) return false;
      throw error;
    }
  }

  /** May do nothing, when it was changed since `conflictToken`: look again. @throws GrpcError */
  async update(
    schedule: Schedule,
    conflictToken: Described['conflictToken'],
    searchAttributes: Described['searchAttributes'],
    requestId: string,
  ): Promise<void> {
    try {
      // Temporal takes search attributes that are not given for none.
      await this.change('updateSchedule', { schedule, conflictToken, searchAttributes, requestId });
    } catch (error) {
      // That is how Branchline says that the token is an old one; Temporal does not say it.
      if (!isStatus(error, Code.FAILED_PRECONDITION)) throw error;
    }
  }

  async makeUp(stretches: Stretch[], overlapPolicy: Shown['policy'], requestId: string): Promise<void> {
    const backfillRequest = stretches.map(({ fromMs: from, toMs: to }) => ({
      startTime: fromMs(from),
      endTime: fromMs(to),
      overlapPolicy,
    }));
    await this.change('patchSchedule', { patch: { backfillRequest }, requestId });
  }

  async remove(): Promise<void> {
    await unlessMissing(this.change('deleteSchedule', {}));
  }

  /** When it acts after `afterMs` and up to `untilMs`, by its spec alone, in order. */
  async times(afterMs: number, untilMs: number): Promise<number[]> {
    const times: number[] = [];
    for (let from = afterMs; from < untilMs && times.length < MOST_TIMES; from = times.at(-1)!) {
      const { startTime } = await this.ask<temporal.api.workflowservice.v1.IListScheduleMatchingTimesResponse>(
        'listScheduleMatchingTimes',
        { startTime: fromMs(from), endTime: fromMs(untilMs) },
      );
      const found = (startTime ?? []).map(ms).filter((time) => time > from && time <= untilMs);
      times.push(...found);
      if (found.length < TIMES_AT_ONCE) break;
    }
    return times;
  }

  /** When a workflow of it ended, epoch ms; undefined = it runs, null = it is gone. */
  async endedAt(execution: Execution): Promise<number | undefined | null> {
    const answer = await unlessMissing(this.ask<WorkflowDescribed>('describeWorkflowExecution', { execution }));
    return answer === null ? null : optionalMs(answer.workflowExecutionInfo?.closeTime);
  }

  async hasWorkflow(workflowId: string): Promise<boolean> {
    return (await this.endedAt({ workflowId })) !== null;
  }

  /** For an overlap policy. */
  async endWorkflow(workflowExecution: Execution, terminate: boolean, requestId: string): Promise<void> {
    const reason = 'overlap policy of its schedule, which is on another engine now';
    await unlessMissing(
      terminate
        ? this.change('terminateWorkflowExecution', { workflowExecution, reason })
        : this.change('requestCancelWorkflowExecution', { workflowExecution, reason, requestId }),
    );
  }

  private ask<R extends object>(method: string, request: object): Promise<R> {
    const { namespace, scheduleId } = this;
    const of = method === 'describeWorkflowExecution' ? { namespace } : { namespace, scheduleId };
    return this.engines.callWithin<R>(this.engine, method, { ...of, ...request }, PATIENCE_MS);
  }

  private async change(method: string, request: object): Promise<object> {
    this.mayChange();
    const { namespace, scheduleId } = this;
    const of = method.endsWith('WorkflowExecution') ? { namespace } : { namespace, scheduleId };
    return this.engines.callWithin(this.engine, method, { ...of, ...request }, PATIENCE_MS);
  }
}

async function unlessMissing<R>(answer: Promise<R>): Promise<R | null> {
  try {
    return await answer;
  } catch (error) {
    if (isStatus(error, Code.NOT_FOUND)) return null;
    throw error;
  }
}
