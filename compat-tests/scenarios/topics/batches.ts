/** Batch operations. One after the other: a real server runs one at a time in a namespace. */
import type { Context, Scenario } from '../harness/scenario';

async function job(c: Context, jobId: string, request: object) {
  await c.rpc.startBatchOperation({ namespace: c.namespace, jobId: c.id(jobId), reason: 'why', ...request });
  return c.until(async () => {
    const described = await c.rpc.describeBatchOperation({ namespace: c.namespace, jobId: c.id(jobId) });
    if (described.state === 1) return false;
    const { state, operationType, totalOperationCount, completeOperationCount, failureOperationCount } = described;
    const { identity, reason, closeTime } = described;
    const counts = [totalOperationCount, completeOperationCount, failureOperationCount].map(Number);
    return { state, operationType, counts, identity, reason, closed: closeTime != null };
  });
}

export const batches: Scenario[] = [
  {
    name: 'batches signal, cancel, reset, terminate and delete what a filter finds',
    covers: ['C129', 'C80'],
    async run(c) {
      const raw = c.raw();
      const workflowType = { name: c.id('type') };
      for (const part of ['one', 'two']) {
        await c.startRaw({ workflowId: c.id(part), workflowType });
        await raw.step();
      }
      const visibilityQuery = `WorkflowType = '${workflowType.name}'`;
      const count = (query: string) => c.client.workflow.count(query).then(({ count: n }) => n);
      await c.until(async () => (await count(visibilityQuery)) === 2);
      const seen: object[] = [];
      seen.push(await job(c, 'signal', { visibilityQuery, signalOperation: { signal: 's', identity: 'me' } }));
      seen.push(await job(c, 'cancel', { visibilityQuery, cancellationOperation: { identity: 'me' } }));
      const resetOperation = { options: { firstWorkflowTask: {} }, identity: 'me' };
      seen.push(await job(c, 'reset', { visibilityQuery, resetOperation }));
      const executions = [{ workflowId: c.id('one') }, { workflowId: c.id('nobody') }];
      seen.push(await job(c, 'terminate', { executions, terminationOperation: { identity: 'me' } }));
      const signals = await Promise.all(
        ['one', 'two'].map(async (part) => {
          const events = await c.events({ workflowId: c.id(part) });
          return events.filter((event) => event.workflowExecutionSignaledEventAttributes).length;
        }),
      );
      seen.push(await job(c, 'delete', { visibilityQuery, deletionOperation: { identity: 'me' } }));
      await c.until(async () => (await count(visibilityQuery)) === 0);
      for (const part of ['one', 'two']) c.untrack(c.id(part));
      const unknown = { namespace: c.namespace, jobId: c.id('unknown') };
      return {
        seen,
        signals,
        errors: [
          await c.error(c.rpc.describeBatchOperation(unknown)),
          await c.error(c.rpc.stopBatchOperation({ ...unknown, reason: 'r' })),
          await c.error(c.rpc.stopBatchOperation({ namespace: c.namespace, jobId: c.id('delete'), reason: 'r' })),
          await c.error(c.rpc.startBatchOperation({ ...unknown, reason: 'why', visibilityQuery })),
          await c.error(c.rpc.startBatchOperation({ ...unknown, reason: 'why', terminationOperation: {} })),
        ],
      };
    },
  },
];
