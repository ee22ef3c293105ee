/** Updates in every stage, update-with-start, signal-with-start. */
import { WithStartWorkflowOperation } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { completeWorkflow, continueAsNew, failWorkflow, protocolMessage, recordMarker } from '../harness/commands';
import { payloads } from '../harness/payloads';
import type { WorkflowTask } from '../harness/raw-worker';
import type { Context, Scenario } from '../harness/scenario';
import * as w from '../workflows';

const { UpdateWorkflowExecutionLifecycleStage: Stage } = temporal.api.enums.v1;
const { Acceptance, Rejection, Response, Request } = temporal.api.update.v1;

const started = async (c: Context) => {
  const handle = await c.start(w.updatable);
  await c.waitForEvent(handle, 'WORKFLOW_TASK_COMPLETED');
  return handle;
};

/** An update of the raw RPC. */
function update(c: Context, workflowId: string, updateId: string, stage: number, runId = '') {
  return c.rpc.updateWorkflowExecution({
    namespace: c.namespace,
    workflowExecution: { workflowId, runId },
    waitPolicy: { lifecycleStage: stage },
    request: { meta: { updateId, identity: 'client' }, input: { name: 'set', args: payloads('x') } },
  });
}

type Type = { encode(message: object): { finish(): Uint8Array } };
const message = (task: WorkflowTask, id: string, name: string, type: Type, body: object, index = 0) => ({
  id,
  protocolInstanceId: task.messages?.[index]?.protocolInstanceId,
  body: { type_url: `type.googleapis.com/temporal.api.update.v1.${name}`, value: type.encode(body).finish() },
});
const requestOf = (task: WorkflowTask, index = 0) => Request.decode(task.messages![index]!.body!.value as Uint8Array);
const accept = (task: WorkflowTask, index = 0) =>
  message(
    task,
    `accept-${index}`,
    'Acceptance',
    Acceptance,
    {
      acceptedRequestMessageId: task.messages?.[index]?.id,
      acceptedRequestSequencingEventId: task.messages?.[index]?.eventId,
      acceptedRequest: requestOf(task, index),
    },
    index,
  );
const respond = (task: WorkflowTask, result: unknown, index = 0) =>
  message(
    task,
    `respond-${index}`,
    'Response',
    Response,
    { meta: requestOf(task, index).meta, outcome: { success: payloads(result) } },
    index,
  );
const reject = (task: WorkflowTask, index = 0) =>
  message(
    task,
    `reject-${index}`,
    'Rejection',
    Rejection,
    {
      rejectedRequestMessageId: task.messages?.[index]?.id,
      rejectedRequest: requestOf(task, index),
      failure: { message: 'rejected by hand', applicationFailureInfo: { type: 'ByHand' } },
    },
    index,
  );

/** What becomes of updates when the run ends in the given way. */
function ending(how: string): Scenario {
  return {
    name: `an accepted update when the workflow ends: ${how}`,
    covers: ['C87'],
    async run(c) {
      const handle = await started(c);
      const updating = await handle.startUpdate(w.set, {
        args: ['x', 'never'],
        waitForStage: 'ACCEPTED',
        updateId: 'u',
      });
      if (how === 'terminate') await handle.terminate('ended');
      else await handle.signal(w.end, how);
      const outcome = await c.error(updating.result());
      if (how === 'continue') {
        // The next run has its first task behind it.
        const { workflowId } = handle;
        await c.until(
          async () => (await c.client.workflow.getHandle(workflowId).describe()).runId !== handle.firstExecutionRunId,
        );
        await c.waitForEvent({ workflowId }, 'WORKFLOW_TASK_COMPLETED');
      }
      if (how === 'continue') await c.client.workflow.getHandle(handle.workflowId).signal(w.end);
      return [
        outcome,
        await c.outcome(handle.result()),
        await c.outcome(handle.executeUpdate(w.set, { args: ['y'], updateId: 'u' })),
      ];
    },
  };
}

export const updates: Scenario[] = [
  ...(['at once', 'timer', 'activity', 'fail', 'id'] as const).map((how): Scenario => ({
    name: `an update that works ${how}`,
    covers: ['C82', 'C83', 'C85'],
    async run(c) {
      const handle = await started(c);
      const outcome = await c.outcome(handle.executeUpdate(w.set, { args: ['x', how], updateId: 'given' }));
      await handle.signal(w.end);
      return [outcome, await handle.result()];
    },
  })),
  ...(['bad', 'error'] as const).map((value): Scenario => ({
    name: `an update that the validator refuses (${value})`,
    covers: ['C82'],
    async run(c) {
      const handle = await started(c);
      const error = await c.error(handle.executeUpdate(w.set, { args: [value] }));
      await handle.signal(w.end);
      return [error, await handle.result()];
    },
  })),
  {
    name: 'an update without handler',
    covers: ['C82'],
    async run(c) {
      const handle = await started(c);
      const error = await c.error(handle.executeUpdate('unknown'));
      await handle.signal(w.end);
      return [error, await handle.result()];
    },
  },
  {
    name: 'the stages that a client waits for',
    covers: ['C85'],
    async run(c) {
      const handle = await started(c);
      const { workflowId } = handle;
      const accepted = await c.rpc.updateWorkflowExecution({
        namespace: c.namespace,
        workflowExecution: { workflowId },
        waitPolicy: { lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED },
        request: { meta: { updateId: 'u' }, input: { name: 'set', args: payloads('x', 'until end') } },
      });
      const admitted = await c.outcome(
        update(c, workflowId, 'v', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED),
      );
      await handle.signal(w.end, 'wait');
      await handle.result();
      const done = await c.rpc.pollWorkflowExecutionUpdate({
        namespace: c.namespace,
        updateRef: { workflowExecution: { workflowId }, updateId: 'u' },
        waitPolicy: { lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED },
      });
      return [accepted, admitted, done];
    },
  },
  {
    name: 'the same update id while it runs, after it and after the end',
    covers: ['C84'],
    async run(c) {
      const handle = await started(c);
      const options = { args: ['x', 'timer'] as [string, string], updateId: 'same' };
      const both = await Promise.all([handle.executeUpdate(w.set, options), handle.executeUpdate(w.set, options)]);
      const again = await handle.executeUpdate(w.set, { args: ['other'], updateId: 'same' });
      await handle.signal(w.end);
      const result = await handle.result();
      return [both, again, result, await handle.executeUpdate(w.set, { args: ['late'], updateId: 'same' })];
    },
  },
  {
    name: 'a handle of an update by its id',
    covers: ['C84', 'C90'],
    async run(c) {
      const handle = await started(c);
      await handle.executeUpdate(w.set, { args: ['x'], updateId: 'known' });
      const known = await handle.getUpdateHandle('known').result();
      const unknown = await c.error(handle.getUpdateHandle('unknown').result());
      await handle.signal(w.end);
      await handle.result();
      return [known, unknown];
    },
  },
  {
    name: 'more than ten updates in flight',
    covers: ['C86'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const aborter = new AbortController();
      const waiting = Array.from({ length: 10 }, (_, i) =>
        c.connection
          .withAbortSignal(aborter.signal, () =>
            update(c, workflowId, `u${i}`, Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED),
          )
          .catch(() => undefined),
      );
      await c.pause(500);
      const deadline = Date.now() + 1500;
      const error = await c.error(
        c.connection.withDeadline(deadline, () =>
          update(c, workflowId, 'too-many', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED),
        ),
      );
      aborter.abort();
      await Promise.all(waiting);
      await c.client.workflow.getHandle(workflowId).terminate();
      // RESOURCE_EXHAUSTED is tried again until the deadline, which may be what is told in the end.
      return [4, 8].includes((error as { code?: number }).code ?? 0);
    },
  },
  {
    name: 'accepted and completed by hand in one task',
    covers: ['C83', 'C82'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const updating = update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
      const task = await raw.poll();
      await raw.complete(task, [protocolMessage('accept-0'), protocolMessage('respond-0')], {
        messages: [accept(task), respond(task, 'by hand')],
      });
      const outcome = await updating;
      await c.client.workflow.getHandle(workflowId).terminate();
      return [outcome, task.messages, task.history?.events?.length];
    },
  },
  {
    name: 'accepted by hand, completed in a later task',
    covers: ['C83', 'C85'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const updating = update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);
      const task = await raw.poll();
      await raw.complete(task, [protocolMessage('accept-0')], { messages: [accept(task)] });
      const accepted = await updating;
      await c.client.workflow.getHandle(workflowId).signal('wake');
      const later = await raw.poll();
      await raw.complete(later, [protocolMessage('respond-0'), completeWorkflow()], {
        messages: [respond(task, 'later')],
      });
      const done = await c.rpc.pollWorkflowExecutionUpdate({
        namespace: c.namespace,
        updateRef: { workflowExecution: { workflowId }, updateId: 'u' },
        waitPolicy: { lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED },
      });
      return [accepted, done];
    },
  },
  {
    name: 'a rejected update leaves no trace',
    covers: ['C82'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const before = (await c.events({ workflowId })).length;
      const updating = update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
      const task = await raw.poll();
      const answer = await raw.complete(task, [], { messages: [reject(task)] });
      const outcome = await updating;
      const after = (await c.events({ workflowId })).length;
      await c.client.workflow.getHandle(workflowId).terminate();
      return [before, outcome, after, Number(answer.resetHistoryEventId)];
    },
  },
  {
    name: 'a rejected update beside a marker keeps the task',
    covers: ['C82', 'C83'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const updating = update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
      const task = await raw.poll();
      await raw.complete(task, [recordMarker('beside')], { messages: [reject(task)] });
      const outcome = await updating;
      await c.client.workflow.getHandle(workflowId).terminate();
      return outcome;
    },
  },
  {
    name: 'an update that the worker ignores',
    covers: ['C88'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const updating = c.outcome(update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED));
      await raw.complete(await raw.poll(), [recordMarker('instead')]);
      const outcome = await updating;
      await c.client.workflow.getHandle(workflowId).terminate();
      return outcome;
    },
  },
  {
    name: 'an update and a signal before the task is taken',
    covers: ['C82', 'C16'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const updating = update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
      await c.pause(500);
      await c.client.workflow.getHandle(workflowId).signal('between');
      const task = await raw.poll();
      await raw.complete(task, [protocolMessage('accept-0'), protocolMessage('respond-0')], {
        messages: [accept(task), respond(task, 1)],
      });
      const outcome = await updating;
      await c.client.workflow.getHandle(workflowId).terminate();
      return outcome;
    },
  },
  {
    name: 'an update is admitted while a task is started',
    covers: ['C82', 'C16'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const first = await raw.poll();
      const updating = update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
      await c.pause(500);
      await raw.complete(first, [recordMarker('m')]);
      const task = await raw.poll();
      await raw.complete(task, [protocolMessage('accept-0'), protocolMessage('respond-0')], {
        messages: [accept(task), respond(task, 1)],
      });
      const outcome = await updating;
      await c.client.workflow.getHandle(workflowId).terminate();
      return outcome;
    },
  },
  {
    name: 'completing while an update waits',
    covers: ['C19', 'C87'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const first = await raw.poll();
      const updating = c.outcome(update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED));
      await c.pause(500);
      const completed = await c.outcome(raw.complete(first, [completeWorkflow()]));
      if (completed instanceof Error) await raw.step([completeWorkflow()]);
      return [completed instanceof Error ? completed : 'completed', await updating];
    },
  },
  {
    name: 'continuing as new with a sent update moves it to the next run',
    covers: ['C87'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      await c.pause(1000);
      const updating = c.outcome(update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED));
      const task = await raw.poll();
      await raw.complete(task, [continueAsNew()]);
      const next = await raw.poll();
      const again = next.messages?.length ? next : await raw.complete(next).then(() => raw.poll());
      await raw.complete(again, [protocolMessage('accept-0'), protocolMessage('respond-0'), completeWorkflow()], {
        messages: [accept(again), respond(again, 'in the next run')],
      });
      const outcome = await updating;
      c.untrack(workflowId);
      return outcome;
    },
  },
  {
    name: 'failing the run with a sent update',
    covers: ['C87'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      await raw.step([recordMarker('first')]);
      const updating = c.outcome(update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED));
      await raw.complete(await raw.poll(), [failWorkflow()]);
      return updating;
    },
  },
  {
    name: 'terminating the run with an admitted update',
    covers: ['C87'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      await c.raw().step([recordMarker('first')]);
      const updating = c.outcome(update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED));
      await c.pause(500);
      await c.client.workflow.getHandle(workflowId).terminate('gone');
      return updating;
    },
  },
  ...['done', 'fail', 'continue', 'terminate'].map(ending),
  {
    name: 'a workflow that its own update ends',
    covers: ['C83', 'C87'],
    async run(c) {
      const handle = await started(c);
      const outcome = await c.outcome(handle.executeUpdate(w.set, { args: ['x', 'end here'] }));
      return [outcome, await handle.result()];
    },
  },
  {
    name: 'an update waits for a worker',
    covers: ['C89'],
    async run(c) {
      const handle = await c.start(w.updatable, { taskQueue: c.ownQueue() });
      const updating = handle.executeUpdate(w.set, { args: ['patient'] });
      await c.pause(500);
      await c.worker();
      const outcome = await updating;
      await handle.signal(w.end);
      return [outcome, await handle.result()];
    },
  },
  {
    name: 'an update of a workflow whose task fails again and again',
    covers: ['C89'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      for (let i = 0; i < 3; i++) await raw.fail(await raw.poll());
      const error = await c.error(
        update(c, workflowId, 'u', Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED),
      );
      await c.client.workflow.getHandle(workflowId).terminate();
      return error;
    },
  },
  {
    name: 'bad update requests',
    covers: ['C90', 'C10'],
    async run(c) {
      const { workflowId } = await c.startRaw();
      const { namespace } = c;
      const workflowExecution = { workflowId };
      const waitPolicy = { lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED };
      const input = { name: 'set' };
      const errors = [
        await c.error(c.rpc.updateWorkflowExecution({ namespace, workflowExecution, waitPolicy })),
        await c.error(
          c.rpc.updateWorkflowExecution({ namespace, workflowExecution, waitPolicy, request: { meta: {} } }),
        ),
        await c.error(
          c.rpc.updateWorkflowExecution({ namespace, workflowExecution, waitPolicy, request: { meta: {}, input: {} } }),
        ),
        await c.error(
          c.rpc.updateWorkflowExecution({
            namespace,
            workflowExecution,
            request: { meta: { updateId: 'x'.repeat(1001) }, input },
          }),
        ),
        await c.error(c.rpc.updateWorkflowExecution({ namespace, waitPolicy, request: { meta: {}, input } })),
        await c.error(c.rpc.pollWorkflowExecutionUpdate({ namespace })),
        await c.error(
          c.rpc.pollWorkflowExecutionUpdate({
            namespace,
            updateRef: { workflowExecution, updateId: 'nope' },
            waitPolicy,
          }),
        ),
      ];
      await c.client.workflow.getHandle(workflowId).terminate();
      return errors;
    },
  },
  ...(['FAIL', 'USE_EXISTING', 'TERMINATE_EXISTING'] as const).flatMap((policy) =>
    ([false, true] as const).map((running): Scenario => ({
      name: `update-with-start ${policy}${running ? ' of a running workflow' : ''}`,
      covers: ['C91', 'C1'],
      async run(c) {
        if (running) {
          const first = await c.start(w.updatable);
          await c.waitForEvent(first, 'WORKFLOW_TASK_COMPLETED');
          await c.pause(1100);
        }
        const operation = new WithStartWorkflowOperation(w.updatable, {
          taskQueue: c.queue,
          workflowId: c.id(),
          workflowIdConflictPolicy: policy,
        });
        const outcome = await c.outcome(
          c.client.workflow.executeUpdateWithStart(w.set, {
            args: ['first'],
            updateId: 'u',
            startWorkflowOperation: operation,
          }),
        );
        const handle = await c.outcome(operation.workflowHandle());
        await c.client.workflow.getHandle(c.id()).signal(w.end);
        const result = await c.client.workflow.getHandle(c.id()).result();
        return [outcome, handle instanceof Error ? handle : 'a handle', result];
      },
    })),
  ),
  {
    name: 'update-with-start of a completed update id does not start again',
    covers: ['C91', 'C84'],
    async run(c) {
      const start = () =>
        new WithStartWorkflowOperation(w.updatable, {
          taskQueue: c.queue,
          workflowId: c.id(),
          workflowIdConflictPolicy: 'USE_EXISTING',
        });
      const options = { args: ['first'] as [string], updateId: 'u' };
      const first = await c.client.workflow.executeUpdateWithStart(w.set, {
        ...options,
        startWorkflowOperation: start(),
      });
      const second = await c.client.workflow.executeUpdateWithStart(w.set, {
        ...options,
        startWorkflowOperation: start(),
      });
      const handle = c.client.workflow.getHandle(c.id());
      await handle.signal(w.end);
      return [first, second, await handle.result()];
    },
  },
  {
    name: 'update-with-start whose update is refused',
    covers: ['C91', 'C82'],
    async run(c) {
      const operation = new WithStartWorkflowOperation(w.updatable, {
        taskQueue: c.queue,
        workflowId: c.id(),
        workflowIdConflictPolicy: 'FAIL',
      });
      const outcome = await c.error(
        c.client.workflow.executeUpdateWithStart(w.set, { args: ['bad'], startWorkflowOperation: operation }),
      );
      const handle = await operation.workflowHandle();
      await handle.signal(w.end);
      return [outcome, await handle.result()];
    },
  },
  {
    name: 'multi-operations that are refused',
    covers: ['C91'],
    async run(c) {
      const startWorkflow = {
        namespace: c.namespace,
        workflowId: c.id(),
        workflowType: { name: 'raw' },
        taskQueue: { name: c.ownQueue() },
        requestId: c.uuid(),
      };
      const updateWorkflow = {
        namespace: c.namespace,
        workflowExecution: { workflowId: c.id() },
        request: { meta: { updateId: 'u' }, input: { name: 'set' } },
      };
      const cases = [
        [],
        [{ startWorkflow }],
        [{ updateWorkflow }, { startWorkflow }],
        [{ startWorkflow: { ...startWorkflow, cronSchedule: '0 * * * *' } }, { updateWorkflow }],
        [{ startWorkflow: { ...startWorkflow, requestEagerExecution: true } }, { updateWorkflow }],
        [{ startWorkflow: { ...startWorkflow, workflowStartDelay: { seconds: 1 as never } } }, { updateWorkflow }],
        [{ startWorkflow }, { updateWorkflow: { ...updateWorkflow, workflowExecution: { workflowId: 'another' } } }],
        [{ startWorkflow }, { updateWorkflow: { ...updateWorkflow, firstExecutionRunId: c.uuid() } }],
        [
          { startWorkflow },
          { updateWorkflow: { ...updateWorkflow, workflowExecution: { workflowId: c.id(), runId: c.uuid() } } },
        ],
        [{ startWorkflow: { ...startWorkflow, workflowType: null } }, { updateWorkflow }],
      ];
      const errors: Error[] = [];
      for (const operations of cases) {
        errors.push(await c.error(c.rpc.executeMultiOperation({ namespace: c.namespace, operations })));
      }
      return errors;
    },
  },
  {
    name: 'signal-with-start starts',
    covers: ['C81'],
    async run(c) {
      const handle = await c.client.workflow.signalWithStart(w.untilFinished, {
        taskQueue: c.queue,
        workflowId: c.id(),
        signal: w.finish,
        signalArgs: ['with the start'],
        memo: { a: 1 },
      });
      return handle.result();
    },
  },
  {
    name: 'signal-with-start of a running workflow',
    covers: ['C81', 'C1'],
    async run(c) {
      const first = await c.start(w.untilFinished);
      await c.waitForEvent(first, 'WORKFLOW_TASK_COMPLETED');
      const second = await c.client.workflow.signalWithStart(w.untilFinished, {
        taskQueue: c.queue,
        workflowId: c.id(),
        signal: w.finish,
        signalArgs: ['to the running one'],
      });
      return [await first.result(), second.signaledRunId === first.firstExecutionRunId];
    },
  },
  ...(['TERMINATE_EXISTING', 'USE_EXISTING', 'FAIL'] as const).map((workflowIdConflictPolicy): Scenario => ({
    name: `signal-with-start ${workflowIdConflictPolicy} of a running workflow`,
    covers: ['C81', 'C4'],
    async run(c) {
      const first = await c.start(w.untilFinished);
      await c.waitForEvent(first, 'WORKFLOW_TASK_COMPLETED');
      await c.pause(1100);
      const outcome = await c.outcome(
        c.client.workflow
          .signalWithStart(w.untilFinished, {
            taskQueue: c.queue,
            workflowId: c.id(),
            signal: w.finish,
            signalArgs: ['hello'],
            workflowIdConflictPolicy,
          })
          .then((handle) => handle.result()),
      );
      if (outcome instanceof Error) await first.terminate();
      return outcome;
    },
  })),
  {
    name: 'signal-with-start of a closed id that must not be used again',
    covers: ['C81', 'C3'],
    async run(c) {
      await (await c.start(w.echo, { args: [1] })).result();
      return c.error(
        c.client.workflow.signalWithStart(w.untilFinished, {
          taskQueue: c.queue,
          workflowId: c.id(),
          signal: w.finish,
          signalArgs: ['x'],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
        }),
      );
    },
  },
  {
    name: 'ten signal-with-starts of one id at once',
    covers: ['C81', 'C7'],
    async run(c) {
      const handles = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          c.client.workflow.signalWithStart(w.collecting, {
            taskQueue: c.queue,
            workflowId: c.id(),
            signal: w.more,
            signalArgs: [i],
          }),
        ),
      );
      await handles[0]!.signal(w.more, -1);
      const got = await handles[0]!.result();
      c.untrack(c.id());
      return [got.sort((a, b) => a - b), new Set(handles.map(({ signaledRunId }) => signaledRunId)).size];
    },
  },
];
