/** Preloaded into a test process: Temporal's packages find compat-tests/core-bridge where they ask for `@temporalio/core-bridge`. */
const Module = require('node:module');
const path = require('node:path');

const adapter = path.resolve(__dirname, '../../core-bridge/index.ts');
const load = Module._load;
let loaded;

Module._load = function (request, ...rest) {
  if (request !== '@temporalio/core-bridge') return load.call(this, request, ...rest);
  loaded ??= require('tsx/cjs/api').require(adapter, __filename);
  return loaded;
};
