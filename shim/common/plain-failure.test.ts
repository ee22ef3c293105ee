import { temporal } from '@temporalio/proto';
import { expect, it } from 'vitest';
import { plainFailure } from './plain-failure';

it('makes a failure plain whose causes are messages, and keeps bytes and numbers', () => {
  const data = Buffer.from('"x"');
  const cause = temporal.api.failure.v1.Failure.create({
    message: 'inner',
    applicationFailureInfo: {
      type: 'T',
      details: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data }] },
    },
    cause: { message: 'innermost', timeoutFailureInfo: { timeoutType: 1 } },
  });
  const plain = plainFailure({ message: 'outer', cause });
  expect(plain).toEqual({
    message: 'outer',
    cause: {
      message: 'inner',
      applicationFailureInfo: {
        type: 'T',
        details: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data }] },
      },
      cause: { message: 'innermost', timeoutFailureInfo: { timeoutType: 1 } },
    },
  });
  expect(Object.getPrototypeOf(plain.cause)).toBe(Object.prototype);
});
