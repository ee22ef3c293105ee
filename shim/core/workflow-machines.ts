/**
 * One run's machines: applies history task by task, takes lang's commands, and collects the jobs for lang and the commands
 * and messages for the service. Ported in behaviour from Temporal's core (`workflow_machines.rs`).
 */
import { applyEvents } from './apply-events';
import { inOrder, isLocalResolution } from './activation';
import { FatalMachineError } from './errors';
import { HistoryUpdate } from './history-update';
import { InternalFlags } from './internal-flags';
import { applyLangCommand } from './lang-commands';
import { LocalActivities } from './local-activities';
import { annotate, isLater, protoTime } from './messages';
import type { Annotations, Command, Instant, LangCommand, PayloadMap, ProtocolMessage } from './messages';
import type { ActivityMachine } from './machines/activity';
import { cancelExternal } from './machines/cancel-external';
import type { ChildWorkflowMachine } from './machines/child-workflow';
import { LocalActivityMachine } from './machines/local-activity';
import type { Machine, Response, Responses } from './machines/machine';
import type { NewMachine } from './machines/new-machine';
import type { SignalExternalMachine } from './machines/signal-external';
import type { TimerMachine } from './machines/timer';
import { UpdateMachine } from './machines/update';
import { randomnessSeed } from './random-seed';
import { TaskInfo } from './task-info';
import type { Activation, ActivationJob, CoreRunOptions } from './types';
import type { UpdateRequestMessage } from './update-messages';
import { long } from '../common/proto-values';
import type { StartedInfo } from './workflow-start';

export interface CommandAndMachine {
  command: Command;
  machine: Machine;
}

export class WorkflowMachines {
  readonly namespace: string;
  readonly taskQueue: string;
  readonly flags: InternalFlags;
  readonly task: TaskInfo;
  history: HistoryUpdate = HistoryUpdate.empty(0, 0);
  /** Updates asked for by the task's messages that are still to be sequenced. */
  updateRequests: UpdateRequestMessage[] = [];
  /** Id of the last WorkflowTaskStarted that lang was activated for. */
  currentStartedEventId = 0;
  /** Id of the WorkflowTaskStarted that ends the sequence being applied. */
  nextStartedEventId = 0;
  lastProcessedEvent = 0;
  replaying = false;
  /** History holds the event that closed the execution. */
  seenTerminalEvent = false;
  /** Lang issued the command that closes the workflow. */
  finished = false;
  /** Workflow time; never goes back. */
  currentTime: Instant | undefined;
  started: StartedInfo | undefined;

  readonly timers = new Map<number, TimerMachine>();
  readonly activities = new Map<number, ActivityMachine>();
  readonly children = new Map<number, ChildWorkflowMachine>();
  readonly signals = new Map<number, SignalExternalMachine>();
  readonly localActivityMachines = new Map<number, LocalActivityMachine>();
  /** Those scheduled in replay, whose marker may still come. */
  readonly scheduledInReplay = new Set<LocalActivityMachine>();
  /** By protocol instance id, until answered. */
  readonly updates = new Map<string, UpdateMachine>();
  /** Machines that go on with later events, by the id of their first. */
  readonly byEventId = new Map<number, Machine>();
  readonly localActivities = new LocalActivities();
  /** Patches known: true once the code called them, false while only their marker was seen ahead. */
  readonly patches = new Map<string, boolean>();

  /** Commands that are out, or will go out with the completion; matched by history's command events in order. */
  commands: CommandAndMachine[] = [];
  /** Commands of the activation being handled. */
  private fresh: CommandAndMachine[] = [];
  private outbox: ProtocolMessage[] = [];
  private jobs: ActivationJob[] = [];
  private upsertedSearchAttributes: PayloadMap = {};

  constructor(
    readonly runId: string,
    readonly workflowId: string,
    options: CoreRunOptions,
  ) {
    this.namespace = options.namespace;
    this.taskQueue = options.taskQueue;
    this.flags = new InternalFlags(options.sdkName, options.sdkVersion);
    this.task = new TaskInfo(options);
  }

  /** A new workflow task: applies the first sequence of its history. */
  newWork(update: HistoryUpdate, messages: UpdateRequestMessage[]): void {
    this.updateRequests = messages;
    this.newHistory(update);
  }

  /** More history, of the same task or of a new one. */
  newHistory(update: HistoryUpdate): void {
    this.history = update;
    this.replaying = update.previousStartedEventId > 0;
    applyEvents(this);
  }

  get readyForNextTask(): boolean {
    return this.history.canTake(this.currentStartedEventId);
  }

  /** Applies sequences until one gives lang something to do, or history is at its end. */
  applyNextTasks(): void {
    while (!this.hasPendingJobs) {
      const consumed = applyEvents(this);
      if (consumed === 0 || !this.replaying) return;
    }
  }

  /** Takes the commands of one activation. */
  applyCommands(commands: readonly LangCommand[]): void {
    for (const command of commands) applyLangCommand(this, command);
    this.applyMarkersAhead();
    this.prepareCommands();
  }

  /** Adds a machine whose command goes out with the task. */
  add(created: NewMachine, annotations: Annotations): void {
    this.fresh.push({ command: annotate(created.command, annotations), machine: created.machine });
  }

  addTerminal(created: NewMachine, annotations: Annotations): void {
    this.add(created, annotations);
    this.finished = true;
    this.localActivities.endWorkflow();
  }

  sendJob(job: ActivationJob): void {
    this.jobs.push(job);
  }

  get hasPendingJobs(): boolean {
    return this.jobs.length > 0;
  }

  get hasPendingLocalResolutions(): boolean {
    return this.jobs.some(isLocalResolution);
  }

  /** Drains the pending jobs (there may be none) into an activation. */
  takeActivation(): Activation {
    const jobs = inOrder(this.jobs);
    this.jobs = [];
    // Activations for queries alone count as replay, even when history is at its end.
    const isReplaying = this.replaying || jobs.length === 0;
    if (!isReplaying) this.task.runsHere();
    const { task } = this;
    return {
      runId: this.runId,
      timestamp: this.currentTime === undefined ? undefined : protoTime(this.currentTime),
      isReplaying,
      historyLength: this.lastProcessedEvent,
      jobs,
      availableInternalFlags: this.flags.allLang(),
      historySizeBytes: long(task.historySizeBytes),
      continueAsNewSuggested: task.continueAsNewSuggested,
      suggestContinueAsNewReasons: task.suggestContinueAsNewReasons,
      targetWorkerDeploymentVersionChanged: task.targetWorkerDeploymentVersionChanged,
      deploymentVersionForCurrentTask: task.deploymentVersion,
      lastSdkVersion: this.flags.lastSdkVersion,
    };
  }

  /** The commands for the service. They stay queued until history shows them. */
  commandsToSend(): Command[] {
    this.flags.useAll();
    const commands: Command[] = [];
    for (const { command, machine } of this.commands) if (!machine.isFinal) commands.push(command);
    return commands;
  }

  takeMessages(): ProtocolMessage[] {
    const messages = this.outbox;
    this.outbox = [];
    return messages;
  }

  /**
   * The service discarded a speculative task (its update was rejected): history goes on as if the task had not been.
   * Its two events, scheduled and started, are forgotten.
   */
  resetToStarted(startedEventId: number): void {
    this.currentStartedEventId = startedEventId;
    this.lastProcessedEvent -= 2;
    for (const id of this.byEventId.keys()) if (id > this.lastProcessedEvent) this.byEventId.delete(id);
  }

  searchAttributesUpserted(fields: PayloadMap | null | undefined): void {
    if (fields) Object.assign(this.upsertedSearchAttributes, fields);
  }

  /** Those of the start, as changed since by the workflow's code. */
  currentSearchAttributes(): PayloadMap {
    return { ...this.started?.searchAttributes, ...this.upsertedSearchAttributes };
  }

  startUpdate(message: UpdateRequestMessage): void {
    const machine = new UpdateMachine(message);
    this.updates.set(message.protocolInstanceId, machine);
    this.process(machine, [machine.start(this.replaying)]);
  }

  /** The reset of a run changes its random numbers from there on. */
  private newRandomSeed(runId: string): void {
    this.sendJob({ variant: 'updateRandomSeed', updateRandomSeed: { randomnessSeed: randomnessSeed(runId) } });
  }

  advanceTime(time: Instant): void {
    if (this.currentTime === undefined || isLater(time, this.currentTime)) this.currentTime = time;
  }

  process(machine: Machine, responses: Responses): void {
    for (const response of responses) this.processOne(machine, response);
  }

  private processOne(machine: Machine, response: Response): void {
    switch (response.do) {
      case 'sendJob':
        return this.sendJob(response.job);
      case 'issueCommand':
        this.fresh.push({ command: response.command, machine });
        return;
      case 'issueMessage':
        // In replay the answer went out long ago.
        if (!this.replaying) this.outbox.push(response.message);
        return;
      case 'cancelChildExternally':
        return this.add(cancelExternal(undefined, response.target, true, response.reason), response.annotations);
      case 'taskStarted':
        return this.taskStarted(response.startedEventId, response.time);
      case 'newRandomSeed':
        return this.newRandomSeed(response.runId);
      case 'queueLocalActivity':
        return this.localActivities.queue(response.activity);
      case 'cancelLocalActivity':
        return this.cancelLocalActivity(machine, response.seq);
      case 'forgetLocalActivity':
        return this.localActivities.done(response.seq);
      case 'advanceTime':
        return this.advanceTime(response.time);
    }
  }

  private taskStarted(startedEventId: number, time: Instant): void {
    this.currentStartedEventId = startedEventId;
    this.advanceTime(time);
    if (this.replaying) return;
    for (const machine of this.scheduledInReplay) this.process(machine, machine.newTaskStarted());
    this.scheduledInReplay.clear();
  }

  private cancelLocalActivity(machine: Machine, seq: number): void {
    if (!(machine instanceof LocalActivityMachine)) {
      throw new FatalMachineError(`A ${machine.name} asked to cancel a local activity`);
    }
    const ahead = this.localActivities.takeAhead(seq);
    if (ahead !== undefined) this.process(machine, machine.resolveFromMarker(ahead));
    else if (this.localActivities.unqueue(seq)) this.process(machine, machine.resolveAsNeverRun());
    else this.localActivities.cancel(seq);
  }

  /** Applies markers found ahead, in their order, up to the first whose activity was not scheduled yet. */
  applyMarkersAhead(): void {
    for (;;) {
      const seq = this.localActivities.nextAhead;
      const machine = seq === undefined ? undefined : this.localActivityMachines.get(seq);
      if (seq === undefined || machine === undefined) return;
      const result = this.localActivities.takeAhead(seq);
      if (result !== undefined) this.process(machine, machine.resolveFromMarker(result));
    }
  }

  /** Moves the commands of this activation to those to be sent, less what was cancelled in the meantime. */
  private prepareCommands(): void {
    this.commands = this.commands.filter(({ machine }) => !machine.cancelledBeforeSent);
    const { commands } = this;
    // Sending a command may issue another.
    for (let i = 0; i < this.fresh.length; i++) {
      const entry = this.fresh[i] as CommandAndMachine;
      if (entry.machine.cancelledBeforeSent) continue;
      const type = entry.command.commandType ?? 0;
      this.process(entry.machine, entry.machine.handleCommand(type));
      commands.push(entry);
    }
    this.fresh = [];
  }
}
