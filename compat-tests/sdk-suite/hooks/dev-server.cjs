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
    loaded.TestWorkflowEnvironment.createLocal = async function (options) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await createLocal.call(this, { ...options, server: { ...options?.server, executable } });
        } catch (error) {
          // The SDK gives a server five seconds, which are soon gone on a busy machine.
          if (attempt === 3 || !String(error).includes('did not start within')) throw error;
        }
      }
    };
  }
  return loaded;
};
