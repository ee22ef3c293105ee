import { expect, test } from 'vitest';
import type { Store } from '../../store/types';
import { QueueConfigs } from './queue-configs';

test('a reading that fails while its asker waits for something else, or has given up, ends no process', async () => {
  const failed = new Error('The store was closed');
  const store = { taskQueues: { all: () => Promise.reject(failed) } } as unknown as Store;
  const configs = new QueueConfigs(store, () => undefined);
  const unhandled: unknown[] = [];
  const note = (reason: unknown): unknown => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    const unread = configs.unread();
    // Unhandled rejections are told after the turn in which they came.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
    await expect(unread).rejects.toBe(failed);
    await expect(configs.unread()).rejects.toBe(failed);
  } finally {
    process.off('unhandledRejection', note);
  }
});
