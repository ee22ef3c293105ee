/** What an operation may ask for beside its transition. */
import type { NewTask } from '../../store/types';
import type { HistoryEvent, RunState } from '../engine/types';
import type { LoadedRun } from '../types';
import type { RunHandle } from './run-handle';

/** One operation's view of its run. Collected here and merged into the run's batch once the operation has succeeded. */
export class Change implements LoadedRun {
  newTasks: NewTask[] | null = null;
  doneTasks: string[] | null = null;
  inbox: string[] | null = null;
  signalRequestIds: string[] | null = null;
  afterMergeCalls: (() => void)[] | null = null;
  afterCommitCalls: (() => void)[] | null = null;
  dropCalls: (() => void)[] | null = null;
  heldFor = '';
  /** The held workflow task was handed out though the run's start is not durable. */
  aheadOfStart = false;
  /** Its worker is on the wire. */
  onWire = false;
  answering = false;
  unmoved = false;

  constructor(readonly run: RunHandle) {}

  get state(): RunState {
    return this.run.state;
  }
  get namespaceId(): number {
    return this.run.namespaceId;
  }
  event(eventId: number): Promise<HistoryEvent> {
    return this.run.event(eventId);
  }

  cachedEvents(fromEventId: number, toEventId: number): HistoryEvent[] | null {
    return this.run.cachedEvents(fromEventId, toEventId);
  }

  /** A row for work that leaves this process. */
  newTask(task: NewTask): void {
    (this.newTasks ??= []).push(task);
  }
  /** A claimed row that this change uses up. */
  doneTask(id: string): void {
    (this.doneTasks ??= []).push(id);
  }
  /** A row of the inbox that this change does. */
  takes(seq: string): void {
    (this.inbox ??= []).push(seq);
    this.run.taken.add(seq);
  }
  rememberSignal(requestId: string): void {
    (this.signalRequestIds ??= []).push(requestId);
  }
  /** As soon as memory has the change, before it is durable. */
  afterMerge(call: () => void): void {
    (this.afterMergeCalls ??= []).push(call);
  }
  /** Once durable, before those who asked are answered. */
  afterCommit(call: () => void): void {
    (this.afterCommitCalls ??= []).push(call);
  }
  /** When the change was lost and will be decided again. */
  onDrop(call: () => void): void {
    (this.dropCalls ??= []).push(call);
  }
  /** Wait a little for the completion of that workflow task (holds.ts), so that both are one commit. */
  hold(heldFor: string, aheadOfStart = false, onWire = false): void {
    this.heldFor = heldFor;
    this.aheadOfStart = aheadOfStart;
    this.onWire = onWire;
  }
  /** A worker waits for the answer: commit now. */
  answersTask(): void {
    this.answering = true;
  }
  /** Nothing was changed: answer once what was seen is durable. */
  unchanged(): void {
    this.unmoved = true;
  }
  /** This process has work of the run in memory only: it must be recovered if the process dies. */
  keepsWork(): void {
    this.run.mine = true;
  }
}
