import * as temporal from '@temporalio/worker';
import { expect, it } from 'vitest';
import * as ours from '../../shim/worker';

it("has every name of Temporal's worker, and no others but its errors", () => {
  const extra = ['BranchlineError', 'BranchlineOptionError'];
  expect(Object.keys(ours).sort()).toEqual([...Object.keys(temporal), ...extra].sort());
});

it("errors are recognised by Temporal's classes and theirs by ours", () => {
  expect(new ours.ShutdownError('x')).toBeInstanceOf(temporal.errors.ShutdownError);
  expect(new temporal.CombinedWorkerRunError('x', { cause: { workerError: 1, innerError: 2 } })).toBeInstanceOf(
    ours.CombinedWorkerRunError,
  );
  expect(new ours.ReplayError('x').name).toBe('ReplayError');
});
