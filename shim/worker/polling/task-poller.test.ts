import { describe, expect, it, vi } from 'vitest';
import { ServiceError, Code } from '../../service/errors';
import type { CallContext } from '../../service/types';
import { DefaultLogger } from '../logger';
import { callWithRetry } from './rpc';
import { TaskPoller } from './task-poller';

interface Task {
  taskToken?: Uint8Array;
  n?: number;
}

const task = (n: number): Task => ({ taskToken: new Uint8Array([n]), n });

/** A service whose polls the test answers. */
function service() {
  const polls: { answer: (task: Task) => void; fail: (error: Error) => void }[] = [];
  const rpc = {
    call: (_method: string, _request: object, { signal }: CallContext) =>
      new Promise<object>((resolve, reject) => {
        polls.push({ answer: resolve, fail: reject });
        signal?.addEventListener('abort', () => resolve({}), { once: true });
      }),
  };
  return { polls, rpc };
}

function poller(options: Partial<ConstructorParameters<typeof TaskPoller<Task>>[0]> = {}) {
  const { polls, rpc } = service();
  const tasks: number[] = [];
  const warnings: string[] = [];
  const onFatal = vi.fn();
  const instance = new TaskPoller<Task>({
    rpc,
    method: 'pollActivityTaskQueue',
    request: {},
    polls: 2,
    logger: new DefaultLogger('WARN', ({ message }) => void warnings.push(message)),
    onTask: ({ n }) => void tasks.push(n!),
    onFatal,
    ...options,
  });
  return { poller: instance, polls, tasks, warnings, onFatal };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a task poller', () => {
  it('keeps its polls waiting, hands tasks over and polls again', async () => {
    const { poller: p, polls, tasks } = poller();
    p.start();
    expect(polls).toHaveLength(2);
    polls[0]!.answer(task(1));
    polls[1]!.answer({});
    await turn();
    expect(tasks).toEqual([1]);
    expect(polls).toHaveLength(4);
    await p.stop();
    expect(polls).toHaveLength(4);
    expect(p.hasOutstandingPoll).toBe(false);
  });

  it('does not poll for more while a task waits to be started', async () => {
    let start!: () => void;
    const { poller: p, polls } = poller({ polls: 1, onTask: () => new Promise((resolve) => (start = resolve)) });
    p.start();
    polls[0]!.answer(task(1));
    await turn();
    expect(polls).toHaveLength(1);
    start();
    await turn();
    expect(polls).toHaveLength(2);
    await p.stop();
  });

  it('hands over a task that came while it was stopped', async () => {
    const { poller: p, polls, tasks } = poller({ polls: 1 });
    p.start();
    polls[0]!.answer(task(7));
    await p.stop();
    expect(tasks).toEqual([7]);
  });

  it('polls again after errors that may pass, and warns', async () => {
    const onNoTask = vi.fn();
    const { poller: p, polls, warnings, onFatal } = poller({ polls: 1, onNoTask });
    p.start();
    polls[0]!.fail(new ServiceError(Code.UNAVAILABLE, 'away'));
    await vi.waitFor(() => expect(polls).toHaveLength(2));
    expect(warnings).toEqual(['pollActivityTaskQueue failed, polling again after a delay']);
    expect(onNoTask).toHaveBeenCalledOnce();
    expect(onFatal).not.toHaveBeenCalled();
    await p.stop();
  });

  it('gives up on errors that do not pass', async () => {
    const { poller: p, polls, onFatal } = poller();
    p.start();
    const error = new ServiceError(Code.NOT_FOUND, 'no such namespace');
    polls[0]!.fail(error);
    await turn();
    expect(onFatal).toHaveBeenCalledExactlyOnceWith(error);
    await p.stop();
  });
});

describe('calls with retries', () => {
  it('are repeated for errors that may pass and not for others', async () => {
    const answers = [new ServiceError(Code.UNAVAILABLE, 'away'), new Error('unknown'), { ok: true }];
    const call = vi.fn(() => {
      const answer = answers.shift()!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    });
    expect(await callWithRetry({ call }, 'x', {})).toEqual({ ok: true });
    expect(call).toHaveBeenCalledTimes(3);

    const refused = vi.fn(() => Promise.reject(new ServiceError(Code.INVALID_ARGUMENT, 'bad')));
    await expect(callWithRetry({ call: refused }, 'x', {})).rejects.toThrow('bad');
    expect(refused).toHaveBeenCalledOnce();
  });
});
