import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import {
  START_MS,
  World,
  completeRun,
  failRun,
  json,
  seconds,
  startRequest,
  startTimer,
} from '../../../test/engine/world';
import { fromMs } from '../../common/proto-values';
import { Code, ServiceError } from '../errors';
import { engine } from './index';
import { Status, type Effect, type Transition } from './types';

import Type = temporal.api.enums.v1.IndexedValueType;

type Over = Parameters<typeof startRequest>[0];

const refusalOf = (over: Over, w = new World()): ServiceError => {
  try {
    engine.startInputFromRequest(startRequest(over), w.ctx);
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const newRun = (effects: Effect[]): Transition => {
  const effect = effects.find((one) => one.type === 'newRun');
  if (effect?.type !== 'newRun') throw new Error('no new run');
  return effect.transition;
};

const attribute = (value: unknown) => json(value).payloads?.[0] as NonNullable<temporal.api.common.v1.IPayload>;
const long = 'x'.repeat(1001);

describe('a start request', () => {
  it.each<[string, Over, string]>([
    ['no workflow id', { workflowId: '' }, 'WorkflowId is not set on request.'],
    ['a long workflow id', { workflowId: long }, 'WorkflowId length exceeds limit.'],
    ['a workflow id of long letters', { workflowId: 'ü'.repeat(501) }, 'WorkflowId length exceeds limit.'],
    ['no type', { workflowType: null }, 'WorkflowType is not set on request.'],
    ['a long type', { workflowType: { name: long } }, 'WorkflowType length exceeds limit.'],
    ['no queue', { taskQueue: null }, 'taskQueue is not set'],
    ['an empty queue', { taskQueue: { name: '' } }, 'missing task queue name'],
    ['a long queue', { taskQueue: { name: long } }, 'taskQueue length exceeds limit'],
    [
      'a reserved queue',
      { taskQueue: { name: '/_sys/q' } },
      'task queue name cannot start with reserved prefix /_sys/',
    ],
    ['a long request id', { requestId: long }, 'RequestId length exceeds limit.'],
    [
      'a negative run timeout',
      { workflowRunTimeout: seconds(-1) },
      'An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration',
    ],
    [
      'cron with start delay',
      { cronSchedule: '* * * * *', workflowStartDelay: seconds(1) },
      'CronSchedule and WorkflowStartDelay may not be used together.',
    ],
    ['bad cron', { cronSchedule: 'often' }, 'invalid CronSchedule.'],
    [
      'a shrinking backoff',
      { retryPolicy: { backoffCoefficient: 0.5 } },
      'BackoffCoefficient cannot be less than 1 on retry policy.',
    ],
    [
      'a bad maximum interval',
      { retryPolicy: { initialInterval: seconds(5), maximumInterval: seconds(1) } },
      'MaximumInterval cannot be less than InitialInterval on retry policy.',
    ],
    [
      'negative attempts',
      { retryPolicy: { maximumAttempts: -1 } },
      'MaximumAttempts cannot be negative on retry policy.',
    ],
    ['a negative priority', { priority: { priorityKey: -1 } }, "priority key can't be negative"],
    [
      'a huge input',
      { input: { payloads: [{ data: new Uint8Array(2 * 1024 * 1024 + 1) }] } },
      'Blob data size exceeds limit.',
    ],
    [
      'a huge memo',
      { memo: { fields: { a: { data: new Uint8Array(2 * 1024 * 1024 + 1) } } } },
      'Memo size exceeds limit.',
    ],
    [
      'a system attribute',
      { searchAttributes: { indexedFields: { RunId: attribute('r') } } },
      "RunId attribute can't be set in SearchAttributes",
    ],
  ])('with %s is refused', (_, over, details) => {
    expect(refusalOf(over)).toMatchObject({ code: Code.INVALID_ARGUMENT, details });
  });

  it('carries on with search attributes that say their types, as Temporal shows them', () => {
    const given = { BatcherUser: attribute('me'), TemporalScheduledStartTime: attribute('2026-01-01T00:00:00Z') };
    const { attributes } = engine.startInputFromRequest(
      startRequest({ searchAttributes: { indexedFields: given } }),
      new World().ctx,
    );
    const fields = attributes.searchAttributes?.indexedFields ?? {};
    const types = Object.entries(fields).map(([name, { metadata }]) => [name, String(Buffer.from(metadata!.type!))]);
    expect(Object.fromEntries(types)).toEqual({ BatcherUser: 'Keyword', TemporalScheduledStartTime: 'Datetime' });
  });

  it('with completionCallbacks is refused by name', () => {
    const refusal = refusalOf({ completionCallbacks: [{}] });
    expect(refusal.code).toBe(Code.UNIMPLEMENTED);
    expect(refusal.details).toContain('completionCallbacks');
  });

  it.each<[string, number, unknown, string?]>([
    ['Keyword', Type.INDEXED_VALUE_TYPE_KEYWORD, 1],
    ['Int', Type.INDEXED_VALUE_TYPE_INT, 1.5],
    ['Double', Type.INDEXED_VALUE_TYPE_DOUBLE, 'x'],
    ['Bool', Type.INDEXED_VALUE_TYPE_BOOL, 'true'],
    ['Datetime', Type.INDEXED_VALUE_TYPE_DATETIME, 'yesterday'],
    ['KeywordList', Type.INDEXED_VALUE_TYPE_KEYWORD_LIST, [1], '[1]'],
    ['Text', Type.INDEXED_VALUE_TYPE_TEXT, ['a', 1], '[a 1]'],
  ])('with a %s attribute of another type is refused', (name, type, value, shown = String(value)) => {
    const w = new World();
    w.searchAttributeTypes = { Mine: type };
    const over = { searchAttributes: { indexedFields: { Mine: attribute(value) } } };
    expect(refusalOf(over, w).details).toBe(`invalid value for search attribute Mine of type ${name}: ${shown}`);
  });

  it('takes registered and predefined attributes, refuses others', () => {
    const w = new World();
    w.searchAttributeTypes = { Mine: Type.INDEXED_VALUE_TYPE_KEYWORD_LIST, When: Type.INDEXED_VALUE_TYPE_DATETIME };
    const fields = {
      Mine: attribute(['a', 'b']),
      When: attribute('2026-01-01T00:00:00.123Z'),
      BuildIds: attribute(['b']),
      TemporalScheduledById: attribute('s'),
    };
    w.start({ searchAttributes: { indexedFields: fields } });
    const { searchAttributes } = w.state;
    for (const [name, payload] of Object.entries(fields)) expect(searchAttributes[name]!.data).toEqual(payload.data);
    expect(Object.keys(searchAttributes)).toEqual(Object.keys(fields));
    expect(refusalOf({ searchAttributes: { indexedFields: { Other: attribute(1) } } }, w).details).toBe(
      'Namespace default has no mapping defined for search attribute Other',
    );
  });

  it.each([
    ['the default', {}, 0, 0, 10],
    ['the execution timeout for the run', { workflowExecutionTimeout: seconds(60) }, 60, 60, 10],
    ['the smaller run timeout', { workflowExecutionTimeout: seconds(60), workflowRunTimeout: seconds(20) }, 60, 20, 10],
    [
      'no more than the execution timeout',
      { workflowExecutionTimeout: seconds(60), workflowRunTimeout: seconds(90) },
      60,
      60,
      10,
    ],
    ['at most two minutes for a task', { workflowTaskTimeout: seconds(600) }, 0, 0, 120],
    ['no longer for a task than for the run', { workflowRunTimeout: seconds(5) }, 0, 5, 5],
  ])('gets %s', (_, over, execution, run, task) => {
    const w = new World().start(over);
    expect(w.history[0]?.workflowExecutionStartedEventAttributes).toMatchObject({
      ...(execution > 0 && { workflowExecutionTimeout: seconds(execution) }),
      ...(run > 0 && { workflowRunTimeout: seconds(run) }),
      workflowTaskTimeout: seconds(task),
    });
    expect(w.state).toMatchObject({
      executionTimeoutMs: execution * 1000,
      runTimeoutMs: run * 1000,
      taskTimeoutMs: task * 1000,
    });
    expect(w.state.executionExpiresAtMs).toBe(execution && START_MS + execution * 1000);
    expect(w.state.runExpiresAtMs).toBe(run && START_MS + run * 1000);
  });
});

describe('a run', () => {
  it('begins with the attributes a server writes', () => {
    const w = new World().start({
      input: json('hello'),
      header: {},
      memo: { fields: { note: attribute('n') } },
      retryPolicy: { maximumAttempts: 3 },
      priority: { priorityKey: 2 },
      userMetadata: { summary: attribute('s') },
    });
    expect(w.history[0]).toMatchObject({
      eventId: 1,
      eventType: 1,
      eventTime: fromMs(START_MS),
      userMetadata: { summary: {} },
    });
    expect(w.history[0]?.workflowExecutionStartedEventAttributes).toEqual({
      workflowType: { name: 'sample' },
      taskQueue: { name: 'q', kind: 1 },
      input: json('hello'),
      workflowTaskTimeout: seconds(10),
      originalExecutionRunId: w.state.runId,
      identity: 'client',
      firstExecutionRunId: w.state.runId,
      retryPolicy: {
        initialInterval: seconds(1),
        backoffCoefficient: 2,
        maximumInterval: seconds(100),
        maximumAttempts: 3,
      },
      attempt: 1,
      firstWorkflowTaskBackoff: seconds(0),
      memo: { fields: { note: attribute('n') } },
      header: {},
      workflowId: 'wf',
      priority: { priorityKey: 2 },
    });
    expect(w.state.root).toEqual({ workflowId: 'wf', runId: w.state.runId });
  });

  it('with a start delay waits, records signals and is hurried by a cancel request', () => {
    const w = new World().start({ workflowStartDelay: seconds(60), workflowRunTimeout: seconds(10) });
    expect(w.state).toMatchObject({
      firstTaskAtMs: START_MS + 60_000,
      runExpiresAtMs: START_MS + 70_000,
      executionAtMs: START_MS + 60_000,
    });
    expect(engine.nextDue(w.state)).toBe(START_MS + 60_000);
    w.signal('early');
    expect(w.names(2)).toEqual(['WORKFLOW_EXECUTION_SIGNALED']);
    w.do((t) => engine.requestCancel(t, { identity: 'client', requestId: 'c', reason: 'changed my mind' }));
    expect(w.names(3)).toEqual(['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_TASK_SCHEDULED']);
    expect(w.state.firstTaskAtMs).toBe(0);
  });

  it('started by a signal has it before its first task', () => {
    const w = new World();
    const input = engine.startInputFromRequest(startRequest(), w.ctx);
    input.signal = { signalName: 'go' };
    const t = engine.start(input, w.ctx);
    expect(t.events.map((event) => event.eventType)).toEqual([1, 26, 5]);
    expect(t.state.signalCount).toBe(1);
  });

  it('that fails is retried by its policy in a new run', () => {
    const w = new World().start({
      retryPolicy: { initialInterval: seconds(2) },
      workflowExecutionTimeout: seconds(60),
      input: json(1),
      memo: { fields: { note: attribute('n') } },
    });
    const { runId } = w.state;
    w.after(500);
    w.run(failRun());
    expect(w.state.status).toBe(Status.Failed);
    const next = newRun(w.effects);
    expect(w.last().workflowExecutionFailedEventAttributes).toMatchObject({
      retryState: temporal.api.enums.v1.RetryState.RETRY_STATE_IN_PROGRESS,
      newExecutionRunId: next.state.runId,
    });
    expect(next.events).toHaveLength(1);
    expect(next.events[0]?.workflowExecutionStartedEventAttributes).toMatchObject({
      attempt: 2,
      continuedExecutionRunId: runId,
      firstExecutionRunId: runId,
      originalExecutionRunId: next.state.runId,
      initiator: temporal.api.enums.v1.ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY,
      continuedFailure: { message: 'broken' },
      firstWorkflowTaskBackoff: seconds(2),
      workflowExecutionExpirationTime: fromMs(START_MS + 60_000),
      input: json(1),
      memo: { fields: { note: attribute('n') } },
    });
    expect(next.state).toMatchObject({ firstRunId: runId, attempt: 2, firstTaskAtMs: START_MS + 2500 });
  });

  it('of a cron schedule goes on with its result', () => {
    const w = new World().start({ cronSchedule: '*/10 * * * *' });
    w.sleep(600_000);
    w.run(completeRun(json('r')));
    const next = newRun(w.effects);
    expect(w.last().workflowExecutionCompletedEventAttributes?.newExecutionRunId).toBe(next.state.runId);
    expect(next.events[0]?.workflowExecutionStartedEventAttributes).toMatchObject({
      lastCompletionResult: json('r'),
      firstWorkflowTaskBackoff: seconds(600),
      cronSchedule: '*/10 * * * *',
      attempt: 1,
    });
  });

  it('times out with its task failed and unseen events written, and may be retried', () => {
    const w = new World().start({ workflowRunTimeout: seconds(5), retryPolicy: {} });
    w.after(1000).poll();
    w.signal('unseen');
    w.sleep(4000);
    expect(w.names(4)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_EXECUTION_TIMED_OUT']);
    expect(w.state.status).toBe(Status.TimedOut);
    expect(newRun(w.effects).state.attempt).toBe(2);
  });

  it('past its execution timeout is not retried', () => {
    const w = new World().start({ workflowExecutionTimeout: seconds(5), retryPolicy: {} });
    w.sleep(5000);
    expect(w.names(3)).toEqual(['WORKFLOW_EXECUTION_TIMED_OUT']);
    expect(w.effects.some((effect) => effect.type === 'newRun')).toBe(false);
  });

  it('is terminated whatever it is doing', () => {
    const w = new World().start();
    w.run(startTimer('t'));
    w.signal('go');
    w.poll();
    w.signal('unseen');
    w.do((t) => engine.terminate(t, { reason: 'enough', details: json(1), identity: 'admin' }));
    expect(w.names(9)).toEqual([
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_EXECUTION_TERMINATED',
    ]);
    expect(w.last().workflowExecutionTerminatedEventAttributes).toEqual({
      reason: 'enough',
      details: json(1),
      identity: 'admin',
    });
    expect(engine.nextDue(w.state)).toBe(0);
    expect(() => w.do((t) => engine.terminate(t, { reason: '', details: null, identity: '' }))).toThrow(
      'workflow execution already completed',
    );
  });

  it('takes a cancel request once', () => {
    const w = new World().start();
    const cancel = () => w.do((t) => engine.requestCancel(t, { identity: 'c', requestId: 'r', reason: 'stop' }));
    expect([cancel(), cancel()]).toEqual([true, false]);
    expect(w.names(3)).toEqual(['WORKFLOW_EXECUTION_CANCEL_REQUESTED']);
    expect(w.last().workflowExecutionCancelRequestedEventAttributes).toEqual({ cause: 'stop', identity: 'c' });
    w.run(completeRun());
    expect(w.do((t) => engine.requestCancel(t, { identity: 'c', requestId: 'r', reason: '' }))).toBe(false);
  });

  it('takes so many signals and no more, none too big, none once closed', () => {
    const w = new World();
    w.limits.signalsPerRun = 2;
    w.start();
    w.signal('a');
    w.signal('b');
    expect(() => w.signal('c')).toThrow('exceeded workflow execution limit for signal events');
    w.limits.signalsPerRun = 0;
    w.limits.blobSizeError = 5;
    const big = { signalName: 's', input: json('too big'), identity: '', header: null, requestId: '' };
    expect(() => w.do((t) => engine.signal(t, big))).toThrow('Blob data size exceeds limit.');
    w.run(completeRun());
    expect(() => w.signal('late')).toThrow('workflow execution already completed');
  });
});
