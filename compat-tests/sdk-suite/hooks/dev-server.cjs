/** Preloaded into a test process: local test environments start the server that `BRANCHLINE_SUITE_DEV_SERVER` names instead of a download. */
const Module = require('node:module');

const load = Module._load;
let patched = false;

Module._load = function (request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request === '@temporalio/testing' && !patched && loaded.TestWorkflowEnvironment !== undefined) {
    patched = true;
    const executable = { type: 'existing-path', path: process.env.BRANCHLINE_SUITE_DEV_SERVER };
    const { createLocal } = loaded.TestWorkflowEnvironment;
    loaded.TestWorkflowEnvironment.createLocal = function (options) {
      return createLocal.call(this, { ...options, server: { ...options?.server, executable } });
    };
  }
  return loaded;
};
