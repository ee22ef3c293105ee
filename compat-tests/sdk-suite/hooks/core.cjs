/** Preloaded into a test process: Temporal's packages find compat-tests/core-bridge where they ask for `@temporalio/core-bridge`. */
const Module = require('node:module');
const { isMainThread } = require('node:worker_threads');

const load = Module._load;

Module._load = function (request, ...rest) {
  if (request !== '@temporalio/core-bridge') return load.call(this, request, ...rest);
  if (isMainThread) return load.call(this, process.env.BRANCHLINE_SUITE_CORE_BRIDGE, ...rest);
  // Workflow threads ask for the time and the error classes alone.
  const native = { getTimeOfDay: () => BigInt(Date.now()) * 1_000_000n };
  return { native, errors: load.call(this, '@temporalio/core-bridge/lib/errors', ...rest) };
};

// In the process that runs the file (not the one that tells of it): listens on localhost:7233, if asked to, before the first test connects.
if (isMainThread && /[\\/]ava[\\/]lib[\\/]worker[\\/]/.test(process.argv[1])) require('@temporalio/core-bridge');
