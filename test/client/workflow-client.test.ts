import { describe, expect, it } from 'vitest';
import {
  NamespaceNotFoundError,
  QueryNotRegisteredError,
  ServiceError,
  TerminatedFailure,
  WorkflowContinuedAsNewError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  isGrpcCancelledError,
  isGrpcDeadlineError,
  Client,
} from '../../shim/client';
import { testClient } from '../support/connection';
import { complete, decoded, fail, scriptedWorker } from '../support/scripted-worker';

describe('client', () => {
  it('starts a workflow and gets its result', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, (task) => {
      const started = task.history?.events?.[0]?.workflowExecutionStartedEventAttributes;
      return { commands: [complete(`hello ${String(decoded(started?.input?.payloads?.[0]))}`)] };
    });
    const handle = await client.workflow.start('greet', { taskQueue: queue, workflowId: 'w', args: ['you'] });
    expect(await handle.result()).toBe('hello you');
    expect(await client.workflow.execute('greet', { taskQueue: queue, workflowId: 'w2', args: ['me'] })).toBe(
      'hello me',
    );
    const description = await handle.describe();
    expect(description).toMatchObject({
      status: { name: 'COMPLETED' },
      type: 'greet',
      historyLength: 5,
      taskQueue: queue,
    });
  });

  it('gets the result of a workflow that closed before', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, () => ({ commands: [fail('no luck')] }));
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    await expect(client.workflow.getHandle('w').result()).rejects.toMatchObject({ cause: { message: 'no luck' } });
    await expect(client.workflow.getHandle('w', handle.firstExecutionRunId).result()).rejects.toThrow(
      WorkflowFailedError,
    );
  });

  it('refuses a second start while the first one runs, and later by the reuse policy', async () => {
    const { client, queue } = await testClient();
    const options = { taskQueue: queue, workflowId: 'w' };
    const handle = await client.workflow.start('w', options);
    await expect(client.workflow.start('w', options)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    const same = await client.workflow.start('w', { ...options, workflowIdConflictPolicy: 'USE_EXISTING' });
    expect(same.firstExecutionRunId).toBe(handle.firstExecutionRunId);
    const next = await client.workflow.start('w', { ...options, workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
    expect(next.firstExecutionRunId).not.toBe(handle.firstExecutionRunId);
    await expect(client.workflow.getHandle('w', handle.firstExecutionRunId).result()).rejects.toMatchObject({
      cause: expect.any(TerminatedFailure) as unknown,
    });
    await next.terminate('enough');
    await expect(client.workflow.start('w', { ...options, workflowIdReusePolicy: 'REJECT_DUPLICATE' })).rejects.toThrow(
      WorkflowExecutionAlreadyStartedError,
    );
    await client.workflow.start('w', { ...options, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' });
  });

  it('answers a repeated start request with the run it made, also when that has closed', async () => {
    const { connection, client, queue } = await testClient();
    const request = {
      namespace: 'default',
      workflowId: 'w',
      workflowType: { name: 'w' },
      taskQueue: { name: queue },
      requestId: 'same',
      workflowIdReusePolicy: 3,
    };
    const first = await connection.workflowService.startWorkflowExecution(request);
    expect(await connection.workflowService.startWorkflowExecution(request)).toMatchObject({
      runId: first.runId,
      started: true,
    });
    await client.workflow.getHandle('w').terminate();
    expect(await connection.workflowService.startWorkflowExecution(request)).toMatchObject({
      runId: first.runId,
      started: true,
    });
  });

  it('lets exactly one of many concurrent starts win', async () => {
    const { client, queue } = await testClient();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, () => client.workflow.start('w', { taskQueue: queue, workflowId: 'one' })),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    }
  });

  it('signals, cancels and terminates, and refuses it on closed and unknown workflows', async () => {
    const { client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    await handle.signal('ping', 1);
    await handle.cancel();
    await handle.cancel();
    await handle.terminate('because');
    await handle.cancel();
    await expect(handle.signal('ping')).rejects.toThrow(WorkflowNotFoundError);
    await expect(handle.terminate()).rejects.toThrow('workflow execution already completed');
    await expect(client.workflow.getHandle('none').signal('ping')).rejects.toThrow(WorkflowNotFoundError);
    await expect(client.workflow.getHandle('none').describe()).rejects.toThrow(WorkflowNotFoundError);
    await expect(client.workflow.getHandle('none').result()).rejects.toThrow(WorkflowNotFoundError);
    const { events } = await handle.fetchHistory();
    const types = events?.map((event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')));
    expect(types).toEqual([
      'workflowExecutionStartedEventAttributes',
      'workflowTaskScheduledEventAttributes',
      'workflowExecutionSignaledEventAttributes',
      'workflowExecutionCancelRequestedEventAttributes',
      'workflowExecutionTerminatedEventAttributes',
    ]);
    expect(events?.[4]?.workflowExecutionTerminatedEventAttributes?.reason).toBe('because');
  });

  it('records a repeated signal once', async () => {
    const { connection, client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const signal = { namespace: 'default', workflowExecution: { workflowId: 'w' }, signalName: 's', requestId: 'r' };
    await Promise.all([1, 2, 3].map(() => connection.workflowService.signalWorkflowExecution(signal)));
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(1);
  });

  it('signals with start', async () => {
    const { client, queue } = await testClient();
    const options = { taskQueue: queue, workflowId: 'w', signal: 's', signalArgs: ['x'] };
    const first = await client.workflow.signalWithStart('w', options);
    const second = await client.workflow.signalWithStart('w', options);
    expect(second.signaledRunId).toBe(first.signaledRunId);
    const { events } = await first.fetchHistory();
    expect(events?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)).toEqual([
      undefined,
      's',
      undefined,
      's',
    ]);
    await first.terminate();
    expect((await client.workflow.signalWithStart('w', options)).signaledRunId).not.toBe(first.signaledRunId);
  });

  it('follows only its own chain', async () => {
    const { client, queue } = await testClient();
    const options = { taskQueue: queue, workflowId: 'w' };
    const first = await client.workflow.start('w', options);
    await first.terminate();
    const second = await client.workflow.start('w', options);
    await expect(first.terminate()).rejects.toThrow(WorkflowNotFoundError);
    await expect(first.cancel()).rejects.toThrow(WorkflowNotFoundError);
    await second.terminate();
  });

  it('asks a worker, and reports unknown queries', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, (task) => {
      const answer = (queryType: string | null | undefined): unknown =>
        queryType === 'size' ? 3 : new Error(`Workflow did not register a handler for ${queryType}`);
      const queryResults = Object.fromEntries(
        Object.entries(task.queries ?? {}).map(([id, query]) => {
          const value = answer(query.queryType);
          return [
            id,
            value instanceof Error
              ? { resultType: 2, errorMessage: value.message }
              : {
                  resultType: 1,
                  answer: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('3') }] },
                },
          ];
        }),
      );
      return task.query ? { answer: answer(task.query.queryType) } : { queryResults };
    });
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    expect(await handle.query('size')).toBe(3);
    expect(await handle.query('size')).toBe(3);
    await expect(handle.query('nope')).rejects.toThrow(QueryNotRegisteredError);
    await handle.terminate();
    expect(await handle.query('size')).toBe(3);
    const rejecting = new Client({ connection, workflow: { queryRejectCondition: 'NOT_OPEN' } });
    await expect(rejecting.workflow.getHandle('w').query('size')).rejects.toThrow('Query rejected');
  });

  it('refuses queries on a workflow that no worker has touched', async () => {
    const { client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    await handle.terminate();
    await expect(handle.query('q')).rejects.toMatchObject({ cause: { code: 9 } });
  });

  it('ends waits at a deadline and when aborted', async () => {
    const { client, queue } = await testClient();
    const handle = await client.workflow.start('w', { taskQueue: queue, workflowId: 'w' });
    const late = client.withDeadline(Date.now() + 100, () => handle.result());
    await expect(late).rejects.toSatisfy(isGrpcDeadlineError);
    const query = client.withDeadline(Date.now() + 300, () => handle.query('q'));
    await expect(query).rejects.toMatchObject({
      cause: { code: 4, details: 'query timed out before a worker could process it' },
    });
    const controller = new AbortController();
    const aborted = client.withAbortSignal(controller.signal, () => handle.result());
    setTimeout(() => controller.abort(), 50);
    await expect(aborted).rejects.toSatisfy(isGrpcCancelledError);
  });

  it('says which namespace is missing', async () => {
    const { connection } = await testClient();
    const client = new Client({ connection, namespace: 'nowhere' });
    await expect(client.workflow.start('w', { taskQueue: 'q', workflowId: 'w' })).rejects.toThrow(
      NamespaceNotFoundError,
    );
    await expect(client.workflow.getHandle('w').describe()).rejects.toMatchObject({ namespace: 'nowhere' });
  });

  it('shows a retried run as continued as new to those who do not follow runs', async () => {
    const { connection, client, queue } = await testClient();
    scriptedWorker(connection, queue, (task) => {
      const { attempt } = task.history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
      const command = fail('again');
      command.failWorkflowExecutionCommandAttributes!.failure!.applicationFailureInfo!.nonRetryable = false;
      return { commands: [attempt === 1 ? command : complete('done')] };
    });
    const handle = await client.workflow.start('w', {
      taskQueue: queue,
      workflowId: 'w',
      retry: { initialInterval: 1, maximumAttempts: 2 },
    });
    expect(await handle.result()).toBe('done');
    const first = client.workflow.getHandle('w', handle.firstExecutionRunId, { followRuns: false });
    await expect(first.result()).rejects.toThrow(WorkflowContinuedAsNewError);
  });

  it('answers RPCs it does not have with UNIMPLEMENTED and a sentence', async () => {
    const { connection, client } = await testClient();
    await expect(connection.workflowService.respondNexusTaskCompleted({})).rejects.toMatchObject({
      code: 12,
      details: expect.stringContaining('Nexus') as unknown,
    });
    await expect(client.taskQueue.getBuildIdCompatability('q')).rejects.toThrow(ServiceError);
  });
});
