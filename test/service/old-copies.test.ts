import { expect, test } from 'vitest';
import type { Notice } from '../../shim/store/types';
import type { Runs } from '../../shim/service/types';
import type { RunRegistry } from '../../shim/service/runs/registry';
import { freshSchema } from '../support/database';
import { ctx, startWorkflow } from '../support/polling-worker';
import { testService } from '../support/service';

test('a run that another process has moved on is read again before "nothing to do" is answered', async () => {
  const database = freshSchema();
  const a = await testService(database);
  const b = await testService(database);
  // Nobody is told of changes, as while the listening connection is away.
  const mute: (notice: Notice) => void = () => undefined;
  b.parts.store.notify = mute;
  const runId = await startWorkflow(a, 'wf', 'w', 'q');
  const lengthIn = (runs: Runs): Promise<number> =>
    (runs as RunRegistry).change(runId, (t, change) => {
      change.unchanged();
      return t.state.nextEventId;
    });
  await expect.poll(() => a.parts.store.liveProcesses().length, { timeout: 5000 }).toBe(2);
  const before = await lengthIn(a.parts.runs);
  const workflowExecution = { workflowId: 'wf' };
  await b.call(
    'signalWorkflowExecution',
    { namespace: 'default', workflowExecution, signalName: 's', requestId: 'x' },
    ctx(),
  );
  expect(await lengthIn(a.parts.runs)).toBe(before + 1);
});
