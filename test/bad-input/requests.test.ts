/** Requests that no server takes. The words were recorded from a real one (Temporal CLI 1.5.1). */
import { randomUUID } from 'node:crypto';
import { defineSearchAttributeKey, SearchAttributeType, ValueError } from '@temporalio/common';
import {
  ActivityCompletionError,
  ActivityNotFoundError,
  Client,
  NamespaceNotFoundError,
  ServiceError,
} from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { testClient } from '../support/connection';
import { errorOf } from './bench';

const long = 'x'.repeat(1001);
const amount = (type: SearchAttributeType) => defineSearchAttributeKey('Amount', type as 'KEYWORD');

describe('a start is refused', () => {
  it('with INVALID_ARGUMENT and the words of the server', async () => {
    const { client, connection, queue } = await testClient();
    await connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: { Amount: 3 } });
    for (const [options, details] of [
      [{ workflowId: long }, 'WorkflowId length exceeds limit.'],
      [{ taskQueue: long }, 'taskQueue length exceeds limit'],
      [{ taskQueue: '/_sys/mine' }, 'task queue name cannot start with reserved prefix /_sys/'],
      [{ retry: { backoffCoefficient: 0.5 } }, 'BackoffCoefficient cannot be less than 1 on retry policy.'],
      [{ retry: { initialInterval: -5 } }, 'invalid InitialInterval set on retry policy: negative duration'],
      [
        { workflowExecutionTimeout: -5 },
        'An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration',
      ],
      [{ workflowRunTimeout: -5 }, 'An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration'],
      [
        { workflowTaskTimeout: -5 },
        'An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration',
      ],
      [{ startDelay: -5 }, 'An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration'],
      [
        { cronSchedule: '* * * * *', startDelay: '1s' },
        'CronSchedule and WorkflowStartDelay may not be used together.',
      ],
      [{ cronSchedule: 'whenever' }, 'invalid CronSchedule.'],
      [
        { workflowIdReusePolicy: 'TERMINATE_IF_RUNNING', workflowIdConflictPolicy: 'FAIL' },
        'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
      ],
      [{ searchAttributes: { Nobody: ['x'] } }, 'Namespace default has no mapping defined for search attribute Nobody'],
      [{ searchAttributes: { Amount: ['x'] } }, 'invalid value for search attribute Amount of type Int: [x]'],
      [
        { typedSearchAttributes: [{ key: amount(SearchAttributeType.KEYWORD), value: 'x' }] },
        'invalid value for search attribute Amount of type Int: x',
      ],
      [{ searchAttributes: { WorkflowType: ['x'] } }, "WorkflowType attribute can't be set in SearchAttributes"],
    ] as const) {
      const error = await errorOf(
        client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID(), ...(options as object) }),
      );
      expect(error, details).toBeInstanceOf(ServiceError);
      expect(error.cause).toMatchObject({ code: 3, details });
    }
    expect((await client.workflow.count()).count).toBe(0);
  });

  it('by the client itself for what makes no sense', async () => {
    const { client, queue } = await testClient();
    for (const [options, type, message] of [
      [{ workflowId: '' }, TypeError, 'Missing WorkflowOptions.workflowId'],
      [{ taskQueue: '' }, TypeError, 'Missing WorkflowOptions.taskQueue'],
      [{ retry: { maximumAttempts: -1 } }, ValueError, 'RetryPolicy.maximumAttempts must be a positive integer'],
      [
        { retry: { initialInterval: '10s', maximumInterval: '1s' } },
        ValueError,
        'RetryPolicy.maximumInterval cannot be less than its initialInterval',
      ],
      [{ workflowRunTimeout: 'soon' }, TypeError, "Invalid duration string: 'soon'"],
      [{ workflowIdReusePolicy: 'WHATEVER' }, ValueError, "Invalid enum value: 'WHATEVER'"],
    ] as const) {
      const error = await errorOf(
        client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID(), ...(options as object) }),
      );
      expect(error, message).toBeInstanceOf(type);
      expect(error.message).toBe(message);
    }
  });
});

describe('other requests are refused', () => {
  it('names and ids that are empty or too long', async () => {
    const { client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID() });
    for (const [call, details] of [
      [() => handle.signal(''), 'SignalName is not set on request.'],
      [() => handle.signal(long), 'SignalName length exceeds limit.'],
      [() => handle.executeUpdate(''), 'Update name is not set on request.'],
      [() => handle.executeUpdate('u', { updateId: long }), 'UpdateId length exceeds limit.'],
      [() => client.workflow.getHandle('w', 'not-a-uuid').describe(), 'Invalid RunId.'],
      [
        () => client.workflow.count('Nope = 1'),
        "invalid query: invalid expression: column name 'Nope' is not a valid search attribute at position 1",
      ],
    ] as const) {
      const error = await errorOf(call());
      expect(error, details).toBeInstanceOf(ServiceError);
      expect(error.cause).toMatchObject({ code: 3, details });
    }
  });

  it('task tokens that nobody gave out', async () => {
    const { client, connection } = await testClient();
    const garbage = Buffer.from('garbage');
    for (const [call, message] of [
      [() => client.activity.complete(garbage, 1), 'Error deserializing task token.'],
      [() => client.activity.fail(garbage, new Error('x')), 'Error deserializing task token.'],
      [() => client.activity.heartbeat(garbage, 1), 'Error deserializing task token.'],
      [() => client.activity.reportCancellation(garbage), 'Error deserializing task token.'],
      [() => client.activity.complete(new Uint8Array(0), 1), 'Task token not set on request.'],
    ] as const) {
      const error = await errorOf(call());
      expect(error, String(call)).toBeInstanceOf(ActivityCompletionError);
      expect(error.message).toBe(message);
    }
    const task = connection.workflowService.respondWorkflowTaskCompleted({ namespace: 'default', taskToken: garbage });
    expect(await errorOf(task)).toMatchObject({ code: 3, details: 'Error deserializing task token.' });
  });

  it('task tokens of a Temporal server, whose tasks are not here', async () => {
    const { client } = await testClient();
    // Its first field: the id of a namespace.
    const token = Buffer.concat([Buffer.from([10, 36]), Buffer.from(randomUUID())]);
    expect(await errorOf(client.activity.complete(token, 1))).toBeInstanceOf(ActivityNotFoundError);
    expect(await errorOf(client.activity.heartbeat(token, 1))).toBeInstanceOf(ActivityNotFoundError);
  });

  it('a namespace that does not exist, before a task token that says nothing', async () => {
    const { connection } = await testClient();
    const client = new Client({ connection, namespace: 'missing' });
    expect(await errorOf(client.activity.complete(Buffer.from('garbage'), 1))).toBeInstanceOf(NamespaceNotFoundError);
  });

  it('activities that are not pending', async () => {
    const { client, queue } = await testClient();
    const { workflowId } = await client.workflow.start('w', { taskQueue: queue, workflowId: randomUUID() });
    for (const id of ['missing', workflowId]) {
      const error = await errorOf(client.activity.complete({ workflowId: id, activityId: '77' }, 1));
      expect(error).toBeInstanceOf(ActivityNotFoundError);
    }
  });
});
