/** Our codecs around a run give what Temporal's own WorkflowCodecRunner gives. */
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { SerializationContext } from '@temporalio/common/lib/converter/serialization-context';
import { coresdk } from '@temporalio/proto';
import { WorkflowCodecRunner } from '@temporalio/worker/lib/workflow-codec-runner';
import { describe, expect, it } from 'vitest';
import type { Activation, ActivationCompletion } from '../../core';
import { RunPayloadCodecs } from './payload-codecs';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const payload = (text: string): Payload => ({ metadata: { encoding: bytes('json/plain') }, data: bytes(text) });

/** Writes into the bytes what it did and for whom. */
class Marking implements PayloadCodec {
  encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return Promise.resolve(payloads.map((p) => mark(p, 'encoded', context)));
  }
  decode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return Promise.resolve(payloads.map((p) => mark(p, 'decoded', context)));
  }
}

function mark(p: Payload, what: string, context: SerializationContext | undefined): Payload {
  return { ...p, data: bytes(`${new TextDecoder().decode(p.data!)} ${what} ${JSON.stringify(context)}`) };
}

const workflow = { type: 'workflow', namespace: 'default', workflowId: 'wf' } as const;
const failure = (text: string) => ({
  message: text,
  encodedAttributes: payload(`${text} attributes`),
  applicationFailureInfo: { details: { payloads: [payload(`${text} details`)] } },
  cause: { canceledFailureInfo: { details: { payloads: [payload(`${text} cause`)] } } },
});

const completion = (): ActivationCompletion => ({
  runId: 'run',
  successful: {
    commands: [
      {
        scheduleActivity: {
          seq: 1,
          activityId: 'a1',
          arguments: [payload('argument')],
          headers: { h: payload('header') },
        },
        userMetadata: { summary: payload('summary') },
      },
      { scheduleLocalActivity: { seq: 2, activityId: 'a2', arguments: [payload('local')] } },
      {
        startChildWorkflowExecution: {
          seq: 3,
          workflowId: 'child',
          input: [payload('input')],
          memo: { m: payload('memo') },
          searchAttributes: { indexedFields: { s: payload('attribute') } },
        },
      },
      { signalExternalWorkflowExecution: { seq: 4, childWorkflowId: 'child', args: [payload('signal')] } },
      {
        requestCancelExternalWorkflowExecution: { seq: 5, workflowExecution: { namespace: 'other', workflowId: 'x' } },
      },
      { respondToQuery: { queryId: 'q', succeeded: { response: payload('answer') } } },
      { updateResponse: { protocolInstanceId: 'u', completed: payload('updated') } },
      { modifyWorkflowProperties: { upsertedMemo: { fields: { m: payload('memo') } } } },
      { upsertWorkflowSearchAttributes: { searchAttributes: { indexedFields: { s: payload('attribute') } } } },
      { failWorkflowExecution: { failure: failure('workflow') } },
      { continueAsNewWorkflowExecution: { arguments: [payload('next')], memo: { m: payload('memo') } } },
    ],
  },
});

const activation = (): Activation => ({
  runId: 'run',
  jobs: [
    {
      initializeWorkflow: {
        workflowId: 'wf',
        arguments: [payload('input')],
        headers: { h: payload('header') },
        memo: { fields: { m: payload('memo') } },
        searchAttributes: { indexedFields: { s: payload('attribute') } },
        lastCompletionResult: { payloads: [payload('last')] },
        continuedFailure: failure('before'),
      },
    },
    { signalWorkflow: { signalName: 's', input: [payload('signal')] } },
    { doUpdate: { name: 'u', input: [payload('update')] } },
    { queryWorkflow: { queryId: 'q', arguments: [payload('query')] } },
    { resolveActivity: { seq: 1, result: { completed: { result: payload('activity') } } } },
    { resolveActivity: { seq: 2, result: { failed: { failure: failure('activity') } } } },
    { resolveChildWorkflowExecution: { seq: 3, result: { completed: { result: payload('child') } } } },
    { resolveChildWorkflowExecutionStart: { seq: 3, cancelled: { failure: failure('start') } } },
    { resolveSignalExternalWorkflow: { seq: 4, failure: failure('signal') } },
    { resolveRequestCancelExternalWorkflow: { seq: 5, failure: failure('cancel') } },
  ],
});

/** All payload texts by their path. */
function texts(value: unknown, path = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  if (ArrayBuffer.isView(value)) return { [path]: new TextDecoder().decode(value as Uint8Array) };
  return Object.assign({}, ...Object.entries(value).map(([key, entry]) => texts(entry, `${path}.${key}`))) as never;
}

describe('payload codecs of a run', () => {
  it("encode and decode what Temporal's do, with the same contexts, and leave their input alone", async () => {
    const official = new WorkflowCodecRunner([new Marking()], workflow);
    const ours = new RunPayloadCodecs([new Marking()], workflow);
    const theirCompletion = await official.encodeCompletion(
      coresdk.workflow_completion.WorkflowActivationCompletion.fromObject(completion()) as never,
    );
    expect(texts(await ours.encodeCompletion(completion()))).toEqual(texts(theirCompletion));

    const given = activation();
    const theirs = await official.decodeActivation(
      coresdk.workflow_activation.WorkflowActivation.fromObject(activation()),
    );
    const decoded = await ours.decodeActivation(given);
    expect(texts(decoded)).toEqual(texts(theirs));
    expect(given).toEqual(activation());
  });
});
