import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { World, answer, completeRun, failRun, protocolMessage, seconds, startTimer } from '../../../test/engine/world';
import { Code } from '../errors';
import { engine } from './index';
import { replay } from './replay';
import { Status } from './types';

/** A run that waits for nothing. */
function idle(): World {
  const w = new World().start();
  w.run();
  return w;
}

describe('an update', () => {
  it('goes with a speculative task and shows up in history once it is accepted', () => {
    const w = idle();
    w.update('u');
    expect(w.history).toHaveLength(4);
    expect(w.state.workflowTask).toMatchObject({ kind: 'speculative', scheduledEventId: 5 });
    const { messages, startedEventId } = w.poll();
    expect(startedEventId).toBe(6);
    expect(messages).toMatchObject([{ id: 'u/request', protocolInstanceId: 'u', eventId: 5 }]);
    const request = temporal.api.update.v1.Request.decode(messages[0]?.body?.value as Uint8Array);
    expect(request).toMatchObject({ meta: { updateId: 'u' }, input: { name: 'change' } });

    const { movedUpdates } = w.complete([protocolMessage('u/accept'), startTimer('t'), protocolMessage('u/complete')], {
      messages: [answer.complete('u'), answer.accept('u', 5)],
    });
    expect(movedUpdates).toEqual(['u']);
    expect(w.effects).toContainEqual({ type: 'updatesMoved', updateIds: ['u'] });
    expect(w.names(5)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
      'TIMER_STARTED',
      'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
    ]);
    expect(w.history[7]?.workflowExecutionUpdateAcceptedEventAttributes).toMatchObject({
      protocolInstanceId: 'u',
      acceptedRequestMessageId: 'u/request',
      acceptedRequestSequencingEventId: 5,
      acceptedRequest: { meta: { updateId: 'u' }, input: { name: 'change' } },
    });
    expect(w.history[9]?.workflowExecutionUpdateCompletedEventAttributes).toMatchObject({
      acceptedEventId: 8,
      meta: { updateId: 'u' },
    });
    expect(w.state.updates.u).toMatchObject({
      stage: 'completed',
      request: null,
      acceptedEventId: 8,
      completedEventId: 10,
    });
    expect(w.state.workflowTask).toBeNull();
    expect(replay(w.history, 'default').updates.u).toEqual(w.state.updates.u);
  });

  it('that is rejected leaves no history, and the worker is told where to go back to', () => {
    const w = idle();
    w.update('u');
    w.poll();
    const { resetHistoryEventId } = w.complete([], { messages: [answer.reject('u')] });
    expect(resetHistoryEventId).toBe(3);
    expect(w.history).toHaveLength(4);
    expect(w.state).toMatchObject({ workflowTask: null, nextEventId: 5 });
    expect(w.state.updates.u).toMatchObject({ stage: 'rejected', failure: { message: 'no' } });
  });

  it('that is rejected together with new events keeps them', () => {
    const w = idle();
    w.signal('go');
    w.update('u');
    w.poll();
    w.complete([], { messages: [answer.reject('u')] });
    expect(w.names(5)).toEqual([
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
    ]);
  });

  it('makes its speculative task a normal one when an event comes', () => {
    const w = idle();
    w.update('u');
    w.signal('go');
    expect(w.names(5)).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_EXECUTION_SIGNALED']);
    expect(w.poll().messages).toHaveLength(1);
    expect(w.names(7)).toEqual(['WORKFLOW_TASK_STARTED']);
  });

  it('makes its started speculative task a normal one when an event waits for it', () => {
    const w = idle();
    w.update('u');
    w.poll();
    w.signal('go');
    w.complete([], { messages: [answer.reject('u')] });
    expect(w.names(5)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_COMPLETED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_SCHEDULED',
    ]);
  });

  it('goes to the normal queue after 5 s without a worker', () => {
    const w = idle();
    w.update('u');
    w.sleep(5000);
    expect(w.names(5)).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_TIMED_OUT', 'WORKFLOW_TASK_SCHEDULED']);
    expect(w.poll().messages).toHaveLength(1);
  });

  it('that arrives while a task runs goes with the next one', () => {
    const w = idle();
    w.signal('go');
    expect(w.poll().messages).toEqual([]);
    w.update('u');
    const { returnNewTask } = w.complete([], { returnNewWorkflowTask: true });
    expect(returnNewTask).toBe(true);
    expect(w.state.workflowTask?.kind).toBe('speculative');
    expect(w.poll().messages).toHaveLength(1);
  });

  it('is delivered again when its task times out', () => {
    const w = idle();
    w.update('u');
    expect(w.poll().messages).toHaveLength(1);
    w.sleep(10_000);
    expect(w.names(5)).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_TIMED_OUT']);
    expect(w.poll().messages).toHaveLength(1);
  });

  it('that the worker does not answer is rejected', () => {
    const w = idle();
    w.update('u');
    w.poll();
    expect(w.complete().movedUpdates).toEqual(['u']);
    expect(w.state.updates.u?.failure?.applicationFailureInfo?.type).toBe('UnprocessedUpdate');
  });

  it('is found again by its id, also once completed', () => {
    const w = idle();
    w.update('u');
    w.update('u');
    expect(w.poll().messages).toHaveLength(1);
    w.complete([], { messages: [answer.accept('u', 5), answer.complete('u')] });
    w.update('u');
    expect(w.state.workflowTask).toBeNull();
  });

  it.each([
    ['acceptance of an unknown update', [answer.accept('x', 5)]],
    ['completion before acceptance', [answer.complete('u')]],
    ['second acceptance', [answer.accept('u', 5), { ...answer.accept('u', 5), id: 'again' }]],
    ['acceptance without sequencing id', [answer.accept('u', 0)]],
  ])('fails the task for %s', (_, messages) => {
    const w = idle();
    w.update('u');
    w.poll();
    const { error } = w.complete([], { messages });
    expect(error).toMatchObject({ code: Code.INVALID_ARGUMENT });
    expect(w.last().workflowTaskFailedEventAttributes?.cause).toBe(
      temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
    );
    expect(w.state.updates.u?.stage).toBe('admitted');
    expect(Object.keys(w.state.updates)).toEqual(['u']);
  });

  it('fails the task for a command that names no message', () => {
    const w = idle();
    w.update('u');
    w.poll();
    expect(w.complete([protocolMessage('nowhere')]).error).toMatchObject({
      details: 'BadUpdateWorkflowExecutionMessage: ProtocolMessageCommand referenced absent message ID nowhere',
    });
  });

  it('ends with its run, which tells those who wait', () => {
    const w = idle();
    w.update('accepted');
    w.poll();
    w.complete([], { messages: [answer.accept('accepted', 5)] });
    w.signal('go');
    w.poll();
    w.update('waiting');
    w.complete([completeRun()]);
    expect(w.state.status).toBe(Status.Completed);
    expect(w.effects).toContainEqual({ type: 'updatesMoved', updateIds: ['accepted', 'waiting'] });
    expect(() => w.update('later')).toThrow('workflow execution already completed');
    expect(() => w.update('waiting')).not.toThrow();
  });

  it('of a committed transaction keeps its run from closing before the workflow has seen it', () => {
    const w = idle();
    w.signal('go');
    w.poll();
    w.do((t) => engine.admitUpdate(t, { meta: { updateId: 'waiting' }, input: { name: 'change' } }, true));
    expect(w.complete([completeRun()]).error).toMatchObject({ details: 'UnhandledCommand' });
    expect(w.poll().messages).toHaveLength(1);
    w.complete([completeRun()]);
    expect(w.state.status).toBe(Status.Completed);
  });

  it('is refused beyond ten in flight, and beyond the total', () => {
    const w = idle();
    for (let i = 0; i < 10; i++) w.update(`u${i}`);
    expect(() => w.update('one-too-many')).toThrow(
      'limit on number of concurrent in-flight updates has been reached (10)',
    );
    w.limits.updatesInFlight = 0;
    w.limits.updatesPerRun = 10;
    expect(() => w.update('one-too-many')).toThrow('The limit on the total number of distinct updates');
  });

  it('is refused while the workflow task keeps failing', () => {
    const w = new World().start();
    for (let i = 0; i < 2; i++) {
      w.poll();
      w.sleep(10_000);
    }
    expect(() => w.update('u')).toThrow(
      'Unable to perform workflow execution update due to Workflow Task in failed state.',
    );
  });

  it('gets a delayed run its first task early, without ending the delay if it is rejected', () => {
    const w = new World().start({ workflowStartDelay: seconds(60) });
    expect(w.names()).toEqual(['WORKFLOW_EXECUTION_STARTED']);
    w.update('u');
    expect(w.poll().messages).toHaveLength(1);
    w.complete([], { messages: [answer.reject('u')] });
    expect(w.history).toHaveLength(1);
    w.sleep(60_000);
    expect(w.names(2)).toEqual(['WORKFLOW_TASK_SCHEDULED']);
  });

  it('stays accepted when the run fails its task afterwards', () => {
    const w = idle();
    w.update('u');
    w.poll();
    w.complete([], { messages: [answer.accept('u', 5)] });
    w.signal('go');
    w.poll();
    w.signal('again');
    w.complete([failRun()], { messages: [answer.complete('u')] });
    expect(w.names().at(-3)).toBe('WORKFLOW_TASK_FAILED');
    expect(w.state.updates.u?.stage).toBe('accepted');
  });

  it('rides on a pending normal task', () => {
    const w = new World().start();
    w.update('u');
    expect(w.state.workflowTask?.kind).toBe('normal');
    expect(w.poll().messages).toMatchObject([{ eventId: 2 }]);
    expect(engine.virtualTaskEvents(w.state)).toEqual([]);
  });
});
