/**
 * Preloaded into a test process: the suite finds the drop-ins where it asks for Temporal's client, worker and testing packages; and the
 * drop-ins find those packages of Temporal's that the suite has, as in an application with one copy of each.
 */
const Module = require('node:module');
const path = require('node:path');

const lib = path.resolve(__dirname, '../../../lib') + path.sep;
const checkout = process.env.TEMPORAL_SDK_CHECKOUT;
const suite = [path.join(checkout, 'packages/test/'), path.join(checkout, 'packages/test-helpers/')];
const dropIns = /^@temporalio\/(client|worker|testing)$/;
const resolve = Module._resolveFilename;

Module._resolveFilename = function (request, parent, ...rest) {
  const from = parent?.filename ?? '';
  const dropIn = dropIns.exec(request);
  if (dropIn !== null && suite.some((folder) => from.startsWith(folder))) return path.join(lib, dropIn[1], 'index.js');
  if (from.startsWith(lib) && /^@temporalio\/(client|common|activity|workflow|proto)(\/|$)/.test(request)) {
    return require.resolve(request, { paths: [suite[0]] });
  }
  return resolve.call(this, request, parent, ...rest);
};

/** As dev-server.cjs does: settings of Temporal's server have no meaning here, and branchline/testing refuses them. */
function withoutDynamicConfig(options) {
  const { extraArgs = [] } = options?.server ?? {};
  const isDynamic = (index) => extraArgs[index] === '--dynamic-config-value';
  const kept = extraArgs.filter((_, index) => !isDynamic(index) && !isDynamic(index - 1));
  return { ...options, server: { ...options?.server, extraArgs: kept } };
}

const load = Module._load;
let patched = false;

Module._load = function (request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  if (request === '@temporalio/testing' && !patched && loaded.TestWorkflowEnvironment !== undefined) {
    patched = true;
    const { createLocal } = loaded.TestWorkflowEnvironment;
    loaded.TestWorkflowEnvironment.createLocal = function (options) {
      return createLocal.call(this, withoutDynamicConfig(options));
    };
  }
  return loaded;
};
