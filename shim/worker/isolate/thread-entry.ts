/** Entry of a workflow thread: takes requests one after another, answers in batches. */
import v8 from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { rejectionOfUnknownRun } from '../errors';
import { toPlainError } from './plain-error';
import { IsolateService } from './isolate-service';
import { askWhetherToPatch } from './patch-answer';
import { portableSinkCalls, withoutUncloneable } from './portable-sinks';
import {
  CLOCK_REQUEST,
  type FromThread,
  type MemorySample,
  type ThreadReply,
  type ThreadRequest,
  type ThreadSettings,
} from './thread-messages';

/** Replies wait for the queue to empty, at most this many. */
const REPLIES_PER_MESSAGE = 16;
const MEMORY_SAMPLE_MS = 1000;

const port = parentPort;
if (port === null) throw new Error(`${__filename} runs in worker threads only`);
const post = (message: FromThread) => port.postMessage(message);
const settings = workerData as ThreadSettings;
const clock = new Int32Array(settings.clock);

let service: IsolateService;
try {
  service = new IsolateService(settings.bundle, {
    reuseV8Context: settings.reuseV8Context,
    ownsThread: true,
    executionTimeoutMs: settings.executionTimeoutMs,
    registeredActivityNames: new Set(settings.registeredActivityNames),
    stackTracesEnabled: settings.stackTraces,
    patchActivationCallback: settings.hasPatchActivationCallback
      ? (info, patchId) => askWhetherToPatch(info, patchId, post)
      : undefined,
  });
  const workflowTypes = settings.probe ? service.probe() : undefined;
  port.on('message', take);
  post({ type: 'ready', workflowTypes });
} catch (error) {
  post({ type: 'notReady', error: toPlainError(error) });
}

process.on('unhandledRejection', (reason, promise) => {
  const owner = service.rejectionUnhandled(reason, promise);
  if (owner === 'nobody') post({ type: 'stray', error: toPlainError(reason), fatal: false });
  if (owner === 'thread') post({ type: 'stray', error: toPlainError(rejectionOfUnknownRun(reason)), fatal: true });
});

const heapAtStart = v8.getHeapStatistics().used_heap_size;
let sampledAt = performance.now();
const queue: ThreadRequest[] = [];
let working = false;
let replies: ThreadReply[] = [];

function take(requests: ThreadRequest[]): void {
  queue.push(...requests);
  if (!working) void work();
}

async function work(): Promise<void> {
  working = true;
  for (let request = queue.shift(); request !== undefined; request = queue.shift()) {
    Atomics.store(clock, CLOCK_REQUEST, request.id);
    replies.push(await answer(request));
    if (replies.length >= REPLIES_PER_MESSAGE) flush();
  }
  Atomics.store(clock, CLOCK_REQUEST, 0);
  working = false;
  flush();
}

async function answer(request: ThreadRequest): Promise<ThreadReply> {
  const { id, runId } = request;
  try {
    switch (request.op) {
      case 'create':
        await service.create(runId, request.options, request.timed);
        return { id };
      case 'activate': {
        const { completion, sinkCalls } = await service.activate(runId, request.activation);
        return { id, result: { completion, sinkCalls: portableSinkCalls(sinkCalls, settings.sinks) } };
      }
      case 'dispose':
        await service.dispose(runId);
        return { id };
    }
  } catch (error) {
    return { id, error: toPlainError(error) };
  }
}

function flush(): void {
  if (replies.length === 0) return;
  const batch = replies;
  replies = [];
  const memory = sampleMemory();
  try {
    post({ type: 'replies', replies: batch, memory });
  } catch {
    // Something in one of them cannot be copied: the others must not suffer.
    for (const reply of batch) postAlone(reply);
  }
}

function postAlone(reply: ThreadReply): void {
  try {
    post({ type: 'replies', replies: [reply], memory: undefined });
  } catch (error) {
    if ('result' in reply && reply.result !== undefined && reply.result.sinkCalls.length > 0) {
      const { completion, sinkCalls } = reply.result;
      postAlone({ id: reply.id, result: { completion, sinkCalls: dropped(sinkCalls) } });
    } else {
      post({ type: 'replies', replies: [{ id: reply.id, error: toPlainError(error) }], memory: undefined });
    }
  }

  function dropped(calls: Parameters<typeof withoutUncloneable>[0]) {
    const safe = withoutUncloneable(calls);
    try {
      structuredClone(safe);
      return safe;
    } catch {
      return [];
    }
  }
}

/** Reading heap figures takes some microseconds: about once a second. */
function sampleMemory(): MemorySample | undefined {
  const now = performance.now();
  if (now - sampledAt < MEMORY_SAMPLE_MS) return undefined;
  sampledAt = now;
  return { heapGrowth: v8.getHeapStatistics().used_heap_size - heapAtStart, runs: service.liveRuns };
}
