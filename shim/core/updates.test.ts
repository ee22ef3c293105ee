import { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { HistoryBuilder } from '../../test/core/history-builder';
import { long } from '../common/proto-values';
import { createCoreRun } from './index';
import type { CoreAction, CoreRun, CoreRunOptions } from './index';
import type { LangCommand, ProtocolMessage } from './messages';

import update = temporal.api.update.v1;

const { CommandType } = temporal.api.enums.v1;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const options: CoreRunOptions = {
  namespace: 'ns',
  taskQueue: 'test',
  sdkName: 'sdk',
  sdkVersion: '1',
  identity: 'me',
  buildId: 'build',
  stickyAttributes: {},
};

const request = (id: string): update.IRequest => ({
  meta: { updateId: id, identity: 'caller' },
  input: { name: 'change', args: { payloads: [{ data: text(id) }] } },
});

function message(id: string, eventId: number): ProtocolMessage {
  return {
    id: `${id}/request`,
    protocolInstanceId: id,
    eventId: long(eventId),
    body: {
      type_url: 'type.googleapis.com/temporal.api.update.v1.Request',
      value: update.Request.encode(request(id)).finish(),
    },
  };
}

function only<T extends CoreAction['type']>(actions: CoreAction[], type: T): Extract<CoreAction, { type: T }> {
  expect(actions.map((action) => action.type)).toEqual([type]);
  return actions[0] as Extract<CoreAction, { type: T }>;
}

const answer = (run: CoreRun, ...commands: LangCommand[]): CoreAction[] =>
  run.completeActivation({ runId: run.runId, successful: { commands } });
const accepted = (id: string): LangCommand => ({ updateResponse: { protocolInstanceId: id, accepted: {} } });
const completed = (id: string): LangCommand => ({
  updateResponse: { protocolInstanceId: id, completed: { data: text('result') } },
});
const rejected = (id: string): LangCommand => ({
  updateResponse: { protocolInstanceId: id, rejected: { message: 'no' } },
});

/** A run at rest, and its history. */
function resting(): { run: CoreRun; history: HistoryBuilder } {
  const history = new HistoryBuilder();
  history.taskStarted();
  const task = history.task();
  const run = createCoreRun(task, options);
  run.handleTask(task);
  answer(run);
  run.taskAnswered({});
  history.taskCompleted();
  return { run, history };
}

describe('an update', () => {
  it('reaches lang by a message, with its validator to run', () => {
    const { run, history } = resting();
    history.taskStarted();
    const { activation } = only(run.handleTask(history.task({ messages: [message('u1', 5)] }, true)), 'activate');
    expect(activation.jobs).toMatchObject([
      {
        variant: 'doUpdate',
        doUpdate: {
          id: 'u1',
          protocolInstanceId: 'u1',
          name: 'change',
          input: [{}],
          meta: { updateId: 'u1', identity: 'caller' },
          runValidator: true,
        },
      },
    ]);
    expect(Buffer.from(activation.jobs?.[0]?.doUpdate?.input?.[0]?.data ?? []).toString()).toBe('u1');
  });

  it('is accepted and completed by messages that commands put in order', () => {
    const { run, history } = resting();
    history.taskStarted();
    only(run.handleTask(history.task({ messages: [message('u1', 5)] }, true)), 'activate');
    const done = only(answer(run, accepted('u1'), completed('u1')), 'completeTask').request;
    expect(done.commands?.map((command) => command.protocolMessageCommandAttributes?.messageId)).toEqual([
      'u1/request/accept',
      'u1/request/complete',
    ]);
    expect(done.messages?.map(({ id, protocolInstanceId, body }) => [id, protocolInstanceId, body?.type_url])).toEqual([
      ['u1/request/accept', 'u1', 'type.googleapis.com/temporal.api.update.v1.Acceptance'],
      ['u1/request/complete', 'u1', 'type.googleapis.com/temporal.api.update.v1.Response'],
    ]);
    const acceptance = update.Acceptance.decode(done.messages?.[0]?.body?.value ?? new Uint8Array());
    expect(acceptance.acceptedRequestMessageId).toBe('u1/request');
    expect(Number(acceptance.acceptedRequestSequencingEventId)).toBe(5);
    expect(acceptance.acceptedRequest?.input?.name).toBe('change');
    const response = update.Response.decode(done.messages?.[1]?.body?.value ?? new Uint8Array());
    expect(response.meta?.updateId).toBe('u1');
    expect(Buffer.from(response.outcome?.success?.payloads?.[0]?.data ?? []).toString()).toBe('result');
  });

  it('that is rejected leaves a message and no command', () => {
    const { run, history } = resting();
    history.taskStarted();
    only(run.handleTask(history.task({ messages: [message('u1', 5)] }, true)), 'activate');
    const done = only(answer(run, rejected('u1')), 'completeTask').request;
    expect(done.commands).toEqual([]);
    expect(done.messages?.map(({ id }) => id)).toEqual(['u1/request/reject']);
    expect(update.Rejection.decode(done.messages?.[0]?.body?.value ?? new Uint8Array()).failure?.message).toBe('no');
  });

  it('that is rejected may leave no trace: the service discards its task', () => {
    const { run, history } = resting();
    const before = history.events.length;
    history.taskStarted();
    only(run.handleTask(history.task({ messages: [message('u1', 5)] }, true)), 'activate');
    only(answer(run, rejected('u1')), 'completeTask');
    expect(run.taskAnswered({ resetHistoryEventId: 3 })).toEqual([]);
    // The ids of the discarded task are given anew.
    history.events.length = before;
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    const { activation } = only(run.handleTask(history.task({}, true)), 'activate');
    expect(activation).toMatchObject({ historyLength: 7, jobs: [{ signalWorkflow: { signalName: 's' } }] });
    only(answer(run), 'completeTask');
  });

  it('that fails once accepted is completed with its failure', () => {
    const { run, history } = resting();
    history.taskStarted();
    only(run.handleTask(history.task({ messages: [message('u1', 5)] }, true)), 'activate');
    only(answer(run, accepted('u1')), 'completeTask');
    run.taskAnswered({});
    history.taskCompleted();
    history.add({ workflowExecutionUpdateAcceptedEventAttributes: { protocolInstanceId: 'u1' } });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    only(run.handleTask(history.task({}, true)), 'activate');
    const done = only(answer(run, rejected('u1')), 'completeTask').request;
    const response = update.Response.decode(done.messages?.[0]?.body?.value ?? new Uint8Array());
    expect(response.outcome?.failure?.message).toBe('no');
  });

  it('comes after signals that were there before it', () => {
    const { run, history } = resting();
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 'before' } });
    history.taskStarted();
    const { activation } = only(run.handleTask(history.task({ messages: [message('u1', 6)] }, true)), 'activate');
    expect(activation.jobs?.map((job) => (job as { variant?: string }).variant)).toEqual([
      'signalWorkflow',
      'doUpdate',
    ]);
  });

  it('is found in history in replay, where its validator does not run again and no message is sent', () => {
    const { history } = resting();
    history.taskStarted();
    history.taskCompleted();
    history.add({
      workflowExecutionUpdateAcceptedEventAttributes: {
        protocolInstanceId: 'u1',
        acceptedRequestMessageId: 'u1/request',
        acceptedRequestSequencingEventId: long(5),
        acceptedRequest: request('u1'),
      },
    });
    history.add({ workflowExecutionUpdateCompletedEventAttributes: { meta: { updateId: 'u1' } } });
    history.add({ workflowExecutionSignaledEventAttributes: { signalName: 's' } });
    history.taskStarted();
    const task = history.task();
    const run = createCoreRun(task, options);
    only(run.handleTask(task), 'activate');
    const { activation } = only(answer(run), 'activate');
    expect(activation).toMatchObject({ isReplaying: true, jobs: [{ doUpdate: { id: 'u1', runValidator: false } }] });
    only(answer(run, accepted('u1'), completed('u1')), 'activate');
    expect(only(answer(run), 'completeTask').request).toMatchObject({ commands: [], messages: [] });
  });

  it('that a reset made durable runs without a message', () => {
    const { run, history } = resting();
    history.add({ workflowExecutionUpdateAdmittedEventAttributes: { request: request('u1') } });
    history.taskStarted();
    const { activation } = only(run.handleTask(history.task({}, true)), 'activate');
    expect(activation.jobs).toMatchObject([{ doUpdate: { id: 'u1', runValidator: true } }]);
    const done = only(answer(run, accepted('u1')), 'completeTask').request;
    expect(done.commands?.[0]?.commandType).toBe(CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE);
    expect(done.messages?.[0]?.id).toBe('u1/request/accept');
  });

  it('whose message cannot be read fails the task', () => {
    const { run, history } = resting();
    history.taskStarted();
    const broken = { ...message('u1', 5), body: { type_url: '', value: new Uint8Array([0x0a, 0xff]) } };
    const { request: failed } = only(run.handleTask(history.task({ messages: [broken] }, true)), 'failTask');
    expect(failed.failure?.message).toContain('no update request');
  });
});
