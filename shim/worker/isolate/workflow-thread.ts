/** The main thread's side of one workflow thread. */
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { BranchlineError } from '../../common/branchline-error';
import { fromPlainError, toPlainError } from './plain-error';
import { restoreSinkCalls } from './portable-sinks';
import {
  CLOCK_REQUEST,
  type FromThread,
  type MemorySample,
  type ThreadReply,
  type ThreadRequest,
  type ThreadSettings,
} from './thread-messages';
import type { ActivationResult } from './types';

type Unsent<T> = T extends unknown ? Omit<T, 'id'> : never;
type PatchQuestion = Extract<FromThread, { type: 'patch' }>;

interface Pending {
  request: ThreadRequest;
  resolve(result: ActivationResult | undefined): void;
  reject(error: Error): void;
}

export interface ThreadEvents {
  onPatchQuestion(question: PatchQuestion): void;
  onMemorySample(sample: MemorySample): void;
  /** An error inside the thread that belongs to no run. */
  onStray(error: Error, fatal: boolean): void;
  /** The thread is gone without having been asked to end. */
  onExit(error: Error): void;
}

/** How long a request has been in work. */
interface Watch {
  id: number;
  since: number;
}

export class WorkflowThread {
  /** Runs that live here. */
  readonly runs = new Set<string>();
  readonly ready: Promise<string[] | undefined>;
  readonly #worker: Worker;
  readonly #clock: Int32Array;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #outbox: ThreadRequest[] = [];
  #flushing = false;
  #watch: Watch = { id: 0, since: 0 };
  #gone: Error | undefined;
  #closing = false;

  constructor(
    settings: Omit<ThreadSettings, 'clock'>,
    private readonly events: ThreadEvents,
  ) {
    const clock = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    this.#clock = new Int32Array(clock);
    this.#worker = new Worker(entryFile(), {
      workerData: { ...settings, clock },
      execArgv: [],
      stdout: false,
      stderr: false,
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (message: FromThread) => {
        if (message.type === 'ready') resolve(message.workflowTypes);
        else if (message.type === 'notReady') reject(fromPlainError(message.error));
        else this.#take(message);
      });
      this.#worker.on('error', (error) => this.#end(error));
      this.#worker.on('exit', (code) => {
        this.#end(new Error(`it exited with code ${code}`));
        reject(this.#gone as Error);
      });
    });
    this.ready.catch(() => {});
  }

  send(request: Unsent<ThreadRequest>): Promise<ActivationResult | undefined> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const whole = { ...request, id: this.#nextId } as ThreadRequest;
    this.#nextId = (this.#nextId % 0x7fffffff) + 1;
    this.#outbox.push(whole);
    this.#flushSoon(request.op);
    return new Promise((resolve, reject) => this.#pending.set(whole.id, { request: whole, resolve, reject }));
  }

  /** The request that has been in work for at least so long, if one has. To be called at intervals. */
  stuckRequest(now: number, timeoutMs: number): ThreadRequest | undefined {
    const id = Atomics.load(this.#clock, CLOCK_REQUEST);
    if (id !== this.#watch.id) this.#watch = { id, since: now };
    if (id === 0 || now - this.#watch.since < timeoutMs) return undefined;
    return this.#pending.get(id)?.request;
  }

  /** Answers a request in the thread's place. */
  settle(id: number, outcome: ActivationResult | Error): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (outcome instanceof Error) pending?.reject(outcome);
    else pending?.resolve(outcome);
  }

  async terminate(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  /** Requests of the same turn travel together. Nobody waits for a disposal: what the end of a run lets others do goes first. */
  #flushSoon(op: ThreadRequest['op']): void {
    if (op === 'dispose') {
      if (this.#outbox.length === 1) setImmediate(() => this.#flush());
    } else if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
  }

  #flush(): void {
    this.#flushing = false;
    const requests = this.#outbox;
    this.#outbox = [];
    if (this.#gone !== undefined || requests.length === 0) return;
    try {
      this.#worker.postMessage(requests);
    } catch {
      for (const request of requests) this.#postAlone(request);
    }
  }

  /** One request holds something that cannot be copied: that one fails, the rest goes. */
  #postAlone(request: ThreadRequest): void {
    try {
      this.#worker.postMessage([request]);
    } catch (error) {
      this.settle(request.id, fromPlainError(toPlainError(error)));
    }
  }

  #take(message: Exclude<FromThread, { type: 'ready' | 'notReady' }>): void {
    switch (message.type) {
      case 'replies':
        if (message.memory !== undefined) this.events.onMemorySample(message.memory);
        for (const reply of message.replies) this.#reply(reply);
        return;
      case 'patch':
        return this.events.onPatchQuestion(message);
      case 'stray':
        return this.events.onStray(fromPlainError(message.error), message.fatal);
    }
  }

  #reply(reply: ThreadReply): void {
    if ('error' in reply) return this.settle(reply.id, fromPlainError(reply.error));
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.result !== undefined) restoreSinkCalls(reply.result.sinkCalls);
    pending?.resolve(reply.result);
  }

  #end(reason: Error): void {
    if (this.#gone !== undefined) return;
    this.#gone = new BranchlineError('BRANCHLINE_WORKFLOW_THREAD_ENDED', `Workflow thread ended: ${reason.message}`, {
      cause: reason,
    });
    for (const { reject } of this.#pending.values()) reject(this.#gone);
    this.#pending.clear();
    if (!this.#closing) this.events.onExit(this.#gone);
  }
}

/** Threads run compiled code; when this file is itself TypeScript source (tests, tsx), the built package's. */
function entryFile(): string {
  const compiled = __filename.endsWith('.ts')
    ? path.resolve(__dirname, '../../../lib/worker/isolate/thread-entry.js')
    : path.join(__dirname, 'thread-entry.js');
  if (!fs.existsSync(compiled)) throw new Error(`${compiled} is missing: build the package first (npm run build)`);
  return compiled;
}
