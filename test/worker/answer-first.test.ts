/** Who starts or signals a workflow hears of it before what he caused does anything. */
import { Context } from '@temporalio/activity';
import { expect, test } from 'vitest';
import { harness } from './harness';

test('an activity that signals its workflow goes on before the activity that the signal leads to', async () => {
  const order: string[] = [];
  const activities = {
    echo: async () => {
      const { client, info } = Context.current();
      await client.workflow.getHandle(info.workflowExecution!.workflowId).signal('go', 'on');
      order.push('signalled');
    },
    greet: () => Promise.resolve(void order.push('greeted')),
  };
  const { run } = await harness({ activities });
  await run(async ({ execute }) => {
    for (let i = 0; i < 20; i++) await execute('asked');
  });
  expect(order).toEqual(Array.from({ length: 20 }, () => ['signalled', 'greeted']).flat());
});

test('who starts a workflow goes on before its first activity', async () => {
  const order: string[] = [];
  const activities = { greet: () => Promise.resolve(void order.push('greeted')) };
  const { run } = await harness({ activities });
  await run(async ({ client, taskQueue }) => {
    for (let i = 0; i < 20; i++) {
      const handle = await client.workflow.start('hello', { taskQueue, workflowId: `hello-${i}`, args: ['you'] });
      order.push('started');
      await handle.result();
    }
  });
  expect(order).toEqual(Array.from({ length: 20 }, () => ['started', 'greeted']).flat());
});
