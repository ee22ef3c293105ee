import { expect, it } from 'vitest';
import { cutOwnFrames } from './own-frames';

const stack = (file: string): string =>
  `Error: no\n    at charge (/app/src/activities.ts:3:9)\n    at ${file}:148:84\n    at Activity.execute (${file}:149:27)`;

it.each([
  '/x/lib/worker/activity/activity.js',
  '/x/shim/worker/activity/activity.ts',
  'C:\\x\\lib\\worker\\activity\\activity.js',
])('frames of %s go, and those below them', (file) => {
  const cause = Object.assign(new Error('no'), { stack: stack(file) });
  const error = Object.assign(new Error('no', { cause }), { stack: stack(file) });
  cutOwnFrames(error);
  const kept = 'Error: no\n    at charge (/app/src/activities.ts:3:9)';
  expect([error.stack, cause.stack]).toEqual([kept, kept]);
});

it('what is no error of this worker stays as it is', () => {
  const frozen = Object.freeze(Object.assign(new Error('no'), { stack: stack('/x/lib/worker/activity/activity.js') }));
  const round = new Error('round');
  round.cause = round;
  const { stack: before } = round;
  for (const error of [frozen, round, 'text', undefined]) expect(() => cutOwnFrames(error)).not.toThrow();
  expect(frozen.stack).toContain('Activity.execute');
  expect(round.stack).toBe(before);
});
