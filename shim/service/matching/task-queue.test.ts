import { expect, test } from 'vitest';
import { TaskQueue } from './task-queue';

test('a queue is idle only when nothing waits in it: started tasks and queries count as well', () => {
  const queue = new TaskQueue('activity/1/q', 1, 'q', 'activity');
  expect(queue.idle).toBe(true);
  queue.started.push({});
  expect(queue.idle).toBe(false);
  queue.started.shift();
  queue.queries.push({ done: false, deliver: () => undefined });
  expect(queue.idle).toBe(false);
  queue.queries.shift();
  expect(queue.idle).toBe(true);
});

test('it tells of its rates only when there are some', () => {
  const queue = new TaskQueue('activity/1/q', 1, 'q', 'activity');
  expect(queue.stats()).toBeUndefined();
  queue.rates.add();
  expect(queue.stats()).toEqual({ added: 1 });
  expect(queue.rates.moving).toBe(true);
});
