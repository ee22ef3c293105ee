/**
 * Local activity: run by the worker itself, its result written as a marker. In replay the marker is looked up ahead;
 * one that was still running when the history ends is run again.
 */
import { coresdk } from '@temporalio/proto';
import { FatalMachineError, NondeterminismError } from '../errors';
import { EventType, describeEvent, eventType } from '../events';
import { CoreFlag } from '../internal-flags';
import type { InternalFlags } from '../internal-flags';
import { cancelledResult, resolutionFor, resultOfOutcome } from '../local-activity-outcome';
import type { LocalActivityResult, OutcomeKind } from '../local-activity-outcome';
import { LOCAL_ACTIVITY_MARKER, localActivityMarkerDetails, localActivityMarkerOf } from '../markers';
import type { LocalActivityMarker } from '../markers';
import { annotate } from '../messages';
import type { Annotations, Command, Instant } from '../messages';
import type { HistoryEvent, LocalActivityOutcome, LocalActivityRequest } from '../types';
import { CommandType, InvalidTransition, StateMachine, job, nothing } from './machine';
import type { Response, Responses, Table } from './machine';

const CancellationType = coresdk.workflow_commands.ActivityCancellationType;

type State =
  | 'RequestSent'
  | 'MarkerCommandCreated'
  | 'ResultNotified'
  | 'WaitingResolveFromMarkerLookAhead'
  | 'ResolvedFromMarkerLookAheadWaitingMarkerEvent'
  | 'MarkerCommandRecorded';

interface Events {
  HandleResult: LocalActivityResult;
  HandleKnownResult: LocalActivityResult;
  StartedNonReplayTask: undefined;
  Cancel: undefined;
  /** TRY_CANCEL and ABANDON. */
  CancelWithoutWait: undefined;
  CommandRecordMarker: undefined;
  MarkerRecorded: LocalActivityMarker;
}

const table: Table<LocalActivityMachine, State, Events> = {
  RequestSent: {
    HandleResult: { to: 'MarkerCommandCreated', run: (la, result) => la.resolve(result) },
    // It has yet to report how it took the cancellation.
    Cancel: { to: 'RequestSent', run: (la) => la.requestCancel() },
    CancelWithoutWait: { to: 'MarkerCommandCreated', run: (la) => la.resolveAsCancelled() },
  },
  MarkerCommandCreated: {
    CommandRecordMarker: { to: 'ResultNotified' },
    HandleResult: { to: 'MarkerCommandCreated' },
  },
  ResultNotified: {
    MarkerRecorded: { to: 'MarkerCommandRecorded', run: (la, marker) => la.mustMatchOwn(marker) },
    HandleResult: { to: 'ResultNotified' },
  },
  WaitingResolveFromMarkerLookAhead: {
    HandleKnownResult: { to: 'ResolvedFromMarkerLookAheadWaitingMarkerEvent', run: (la, result) => la.resolve(result) },
    StartedNonReplayTask: { to: 'RequestSent', run: (la) => la.runAfterAll() },
    // The marker may be known but not yet applied, so that the cancellation finds it.
    Cancel: { to: 'WaitingResolveFromMarkerLookAhead', run: (la) => la.requestCancel() },
    CancelWithoutWait: { to: 'WaitingResolveFromMarkerLookAhead', run: (la) => la.requestCancel() },
  },
  ResolvedFromMarkerLookAheadWaitingMarkerEvent: {
    MarkerRecorded: { to: 'MarkerCommandRecorded', run: (la, marker) => la.mustMatch(marker) },
    Cancel: { to: 'ResolvedFromMarkerLookAheadWaitingMarkerEvent', run: (la) => la.requestCancel() },
    CancelWithoutWait: { to: 'ResolvedFromMarkerLookAheadWaitingMarkerEvent', run: (la) => la.requestCancel() },
  },
  MarkerCommandRecorded: {
    // A cancellation still matters: the runner may be waiting to retry.
    Cancel: { to: 'MarkerCommandRecorded', run: (la) => la.requestCancel() },
    CancelWithoutWait: { to: 'MarkerCommandRecorded', run: (la) => la.requestTryCancel() },
    HandleResult: { to: 'MarkerCommandRecorded' },
  },
};

export class LocalActivityMachine extends StateMachine<State, Events> {
  readonly name = 'LocalActivityMachine';
  protected readonly title = 'Local activity';
  protected readonly table = table;
  protected override readonly commands = { [CommandType.COMMAND_TYPE_RECORD_MARKER]: 'CommandRecordMarker' } as const;
  private resultKind: OutcomeKind | undefined;

  /**
   * @param scheduledAt workflow time at scheduling.
   * @param includeArguments write the arguments into the marker.
   */
  constructor(
    private request: LocalActivityRequest,
    private replayingWhenScheduled: boolean,
    private readonly scheduledAt: Instant | undefined,
    private readonly originalScheduleTime: Instant | undefined,
    private readonly includeArguments: boolean,
    private readonly annotations: Annotations,
    private readonly flags: InternalFlags,
  ) {
    super(replayingWhenScheduled ? 'WaitingResolveFromMarkerLookAhead' : 'RequestSent');
  }

  /** What scheduling it asks for: to be run, unless its marker is still to come. */
  start(): Responses {
    return this.state === 'RequestSent' ? this.queue() : nothing;
  }

  cancel(): Responses {
    const waits = this.request.cancellationType === CancellationType.WAIT_CANCELLATION_COMPLETED;
    return this.fireRequest(waits ? 'Cancel' : 'CancelWithoutWait', undefined);
  }

  /** True while a marker found ahead would be welcome. */
  get awaitsMarker(): boolean {
    return this.state === 'WaitingResolveFromMarkerLookAhead';
  }

  /** True when the marker event was resolved ahead, so that no command of ours stands for it. */
  get takesMarkerWithoutCommand(): boolean {
    if (this.state === 'ResultNotified') return false;
    if (this.state === 'ResolvedFromMarkerLookAheadWaitingMarkerEvent') return true;
    throw new FatalMachineError(`A marker came for local activity ${this.request.seq} in state ${this.state}`);
  }

  /** A workflow task began that is not replayed: what has no marker by now never will. */
  newTaskStarted(): Responses {
    return this.awaitsMarker ? this.fire('StartedNonReplayTask', undefined) : nothing;
  }

  resolveFromRunner(outcome: LocalActivityOutcome): Responses {
    return this.handle('HandleResult', resultOfOutcome(outcome, this.scheduledAt));
  }

  resolveFromMarker(result: LocalActivityResult): Responses {
    return this.handle('HandleKnownResult', result);
  }

  /** It was cancelled before the runner got it. */
  resolveAsNeverRun(): Responses {
    return this.handle('HandleResult', { ...this.cancelled(), completeTime: this.scheduledAt });
  }

  private handle(event: 'HandleResult' | 'HandleKnownResult', result: LocalActivityResult): Responses {
    try {
      return this.fire(event, result);
    } catch (err) {
      if (!(err instanceof InvalidTransition)) throw err;
      throw new FatalMachineError(
        `Invalid transition resolving local activity (seq ${this.request.seq}, ${event}) in ${this.state}`,
      );
    }
  }

  protected apply(event: HistoryEvent): Responses {
    if (eventType(event) !== EventType.EVENT_TYPE_MARKER_RECORDED) {
      throw new NondeterminismError(`Local activity machine cannot handle this event: ${describeEvent(event)}`);
    }
    const marker = localActivityMarkerOf(event);
    if (marker === undefined) {
      throw new NondeterminismError('Local activity machine encountered an unparsable marker');
    }
    return this.fire('MarkerRecorded', marker);
  }

  private cancelled(): LocalActivityResult {
    return cancelledResult(this.request.attempt, this.originalScheduleTime);
  }

  private queue(): Responses {
    return [{ do: 'queueLocalActivity', activity: this.request }];
  }

  requestCancel(): Responses {
    return [{ do: 'cancelLocalActivity', seq: this.request.seq }];
  }

  requestTryCancel(): Responses {
    return this.request.cancellationType === CancellationType.TRY_CANCEL ? this.requestCancel() : nothing;
  }

  resolveAsCancelled(): Responses {
    return [...this.requestTryCancel(), ...this.resolve(this.cancelled())];
  }

  runAfterAll(): Responses {
    this.replayingWhenScheduled = false;
    return this.queue();
  }

  resolve(result: LocalActivityResult): Responses {
    this.resultKind = result.kind;
    const { seq, activityId, activityType } = this.request;
    const resolution = resolutionFor(result, activityId, activityType);
    const responses: Response[] = [job('resolveActivity', { seq, result: resolution, isLocal: true })];
    if (result.completeTime !== undefined) responses.push({ do: 'advanceTime', time: result.completeTime });
    const over = result.kind === 'cancelled' || result.kind === 'timedOut';
    if (over && this.request.cancellationType === CancellationType.ABANDON) {
      responses.push({ do: 'forgetLocalActivity', seq });
    }
    if (!this.replayingWhenScheduled) responses.push({ do: 'issueCommand', command: this.markerCommand(result) });
    return responses;
  }

  private markerCommand(result: LocalActivityResult): Command {
    const { seq, activityId, activityType, args } = this.request;
    const { attempt, completeTime, backoff, originalScheduleTime } = result;
    const details = localActivityMarkerDetails(
      { seq, attempt, activityId, activityType, completeTime, backoff, originalScheduleTime },
      result.kind === 'completed' ? result.result : undefined,
    );
    if (this.includeArguments) details['input'] = { payloads: args };
    const command: Command = {
      commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
      recordMarkerCommandAttributes: { markerName: LOCAL_ACTIVITY_MARKER, details, failure: result.failure },
    };
    return annotate(command, this.annotations);
  }

  mustMatchOwn(marker: LocalActivityMarker): Responses {
    const { seq } = this.request;
    const failed = this.resultKind === 'failed' || this.resultKind === 'timedOut';
    if (this.resultKind === 'completed' && marker.failure !== undefined) {
      throw new NondeterminismError(
        `Local activity (seq ${seq}) completed successfully locally, but history said it failed!`,
      );
    }
    if (failed && marker.failure === undefined) {
      throw new NondeterminismError(`Local activity (seq ${seq}) failed locally, but history said it completed!`);
    }
    return this.mustMatch(marker);
  }

  mustMatch(marker: LocalActivityMarker): Responses {
    const { seq, activityId, activityType } = this.request;
    if (marker.seq !== seq) {
      throw new NondeterminismError(
        `Local activity marker data has sequence number ${marker.seq} but matched against LA command with sequence number ${seq}`,
      );
    }
    if (this.flags.tryUse(CoreFlag.IdAndTypeDeterminismChecks, !this.replayingWhenScheduled)) {
      const check = (what: string, recorded: string, asked: string): void => {
        if (recorded === asked) return;
        throw new NondeterminismError(
          `Activity ${what} of recorded marker '${recorded}' does not match activity ${what} of local activity command '${asked}'`,
        );
      };
      check('id', marker.activityId, activityId);
      check('type', marker.activityType, activityType);
    }
    // Its input is of no more use, but the machine stays as long as the run.
    this.request = { ...this.request, args: [], headers: {} };
    return nothing;
  }
}
