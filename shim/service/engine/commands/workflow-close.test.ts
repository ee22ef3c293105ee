import { describe, expect, it } from 'vitest';
import { complete, fail, cancelWorkflow, continueAsNew } from '../../../../test/support/engine-commands';
import { TestRun, payloads, seconds, text, timerCommand } from '../../../../test/support/engine-run';
import { engine } from '..';
import { RetryState } from '../retry';

const newRun = (run: TestRun) => {
  const effect = run.transition.effects.find((one) => one.type === 'newRun');
  return effect?.type === 'newRun' ? effect.transition.events[0]!.workflowExecutionStartedEventAttributes! : undefined;
};

describe('closing commands', () => {
  it.each([
    ['complete', complete('done'), 'WorkflowExecutionCompleted'],
    ['fail', fail(), 'WorkflowExecutionFailed'],
    ['cancel', cancelWorkflow, 'WorkflowExecutionCanceled'],
    ['continue as new', continueAsNew(), 'WorkflowExecutionContinuedAsNew'],
  ])('%s: refused while something waits that the workflow has not seen, done once it has', (_, command, event) => {
    const run = new TestRun();
    run.startTask();
    run.change((t) => engine.signal(t, { signalName: 's', input: null, identity: '', header: null, requestId: '' }));
    expect(run.completeTask([command])?.message).toContain('UnhandledCommand');
    expect(run.types(3)).toEqual(['WorkflowTaskFailed', 'WorkflowExecutionSignaled', 'WorkflowTaskScheduled']);
    expect(run.task(command)).toBeNull();
    expect(run.types(7)).toEqual(['WorkflowTaskCompleted', event]);
    expect(run.effects()).toContain('closed');
  });

  it('must come last', () => {
    const run = new TestRun();
    run.startTask();
    expect(() => run.completeTask([complete(), timerCommand('1', 1)])).toThrow(
      'invalid command sequence: [CompleteWorkflowExecution, StartTimer], command CompleteWorkflowExecution must be the last command.',
    );
  });
});

describe('retry of a workflow', () => {
  const retrying = { retryPolicy: { maximumAttempts: 2 }, input: payloads('in'), memo: { fields: { m: text('m') } } };

  it('begins the next attempt like the first, after the backoff', () => {
    const run = new TestRun(retrying);
    run.task(fail());
    const next = newRun(run);
    expect(next).toMatchObject({
      attempt: 2,
      input: payloads('in'),
      memo: { fields: { m: text('m') } },
      initiator: 2,
      continuedFailure: { message: 'boom' },
      continuedExecutionRunId: run.state.runId,
      firstExecutionRunId: run.state.runId,
      firstWorkflowTaskBackoff: seconds(1),
    });
    expect(run.last().workflowExecutionFailedEventAttributes).toMatchObject({
      retryState: 1,
      newExecutionRunId: next?.originalExecutionRunId,
    });
  });

  it.each([
    ['without a policy', {}, {}, RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET],
    ['for a non-retryable failure', retrying, { nonRetryable: true }, RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE],
    [
      'for a listed type',
      { retryPolicy: { nonRetryableErrorTypes: ['E'] } },
      {},
      RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    ],
    [
      'after the last attempt',
      { retryPolicy: { maximumAttempts: 1 } },
      {},
      RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    ],
    [
      'beyond the execution timeout',
      { retryPolicy: {}, workflowExecutionTimeout: seconds(0.5) },
      {},
      RetryState.RETRY_STATE_TIMEOUT,
    ],
  ])('does not happen %s', (_, request, failure, retryState) => {
    const run = new TestRun(request);
    run.task(fail(failure));
    expect(newRun(run)).toBeUndefined();
    expect(run.last().workflowExecutionFailedEventAttributes).toMatchObject({ retryState });
  });

  it('goes before cron', () => {
    const run = new TestRun({ ...retrying, cronSchedule: '@every 10s' });
    run.pass(10_000);
    run.task(fail());
    expect(newRun(run)).toMatchObject({ initiator: 2, attempt: 2 });
  });
});

describe('cron', () => {
  const cron = { cronSchedule: '@every 10s' };

  it('goes on after success with the result, on the grid of the schedule', () => {
    const run = new TestRun(cron);
    expect(run.state.workflowTask).toBeNull();
    run.pass(10_000);
    run.nowMs += 3000;
    run.task(complete('one'));
    expect(newRun(run)).toMatchObject({
      initiator: 3,
      attempt: 1,
      lastCompletionResult: payloads('one'),
      cronSchedule: '@every 10s',
      firstWorkflowTaskBackoff: seconds(7),
    });
  });

  it('goes on after a failure, with the failure and the result of before', () => {
    const run = new TestRun({ ...cron, lastCompletionResult: payloads('before') });
    run.pass(10_000);
    run.task(fail());
    expect(newRun(run)).toMatchObject({
      initiator: 3,
      continuedFailure: { message: 'boom' },
      lastCompletionResult: payloads('before'),
    });
    expect(run.last().workflowExecutionFailedEventAttributes?.retryState).toBe(
      RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET,
    );
  });

  it('ends with a cancellation', () => {
    const run = new TestRun(cron);
    run.pass(10_000);
    run.task(cancelWorkflow);
    expect(newRun(run)).toBeUndefined();
  });
});

describe('continue as new', () => {
  it('inherits what the command leaves out, but not memo, search attributes and retry policy', () => {
    const run = new TestRun({
      workflowRunTimeout: seconds(50),
      workflowTaskTimeout: seconds(5),
      workflowExecutionTimeout: seconds(100),
      memo: { fields: { m: text('m') } },
      retryPolicy: {},
    });
    run.nowMs += 2000;
    run.task(continueAsNew({ input: payloads('next') }));
    const next = newRun(run)!;
    expect(next).toMatchObject({
      workflowType: { name: 'sample' },
      taskQueue: { name: 'q', kind: 1 },
      input: payloads('next'),
      workflowRunTimeout: seconds(50),
      workflowTaskTimeout: seconds(5),
      workflowExecutionTimeout: seconds(100),
      attempt: 1,
      initiator: 1,
      firstExecutionRunId: run.state.runId,
      continuedExecutionRunId: run.state.runId,
      firstWorkflowTaskBackoff: seconds(0),
    });
    expect(next.memo).toBeUndefined();
    expect(next.retryPolicy).toBeUndefined();
    const first = run.history[0]!.workflowExecutionStartedEventAttributes!;
    expect(next.workflowExecutionExpirationTime).toEqual(first.workflowExecutionExpirationTime);
    expect(run.last().workflowExecutionContinuedAsNewEventAttributes).toMatchObject({
      newExecutionRunId: next.originalExecutionRunId,
      workflowTaskCompletedEventId: 4,
    });
  });

  it('of a run shorter than a second waits for the rest of it', () => {
    const run = new TestRun();
    run.nowMs += 300;
    run.task(continueAsNew());
    expect(newRun(run)?.firstWorkflowTaskBackoff).toEqual(seconds(0.7));
  });
});
