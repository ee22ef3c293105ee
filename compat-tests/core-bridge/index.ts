/**
 * Stands in for `@temporalio/core-bridge` in test runs: the same two exports, on our core and service instead of Temporal's native library,
 * so that Temporal's own worker judges them. It is no product: see compat-tests/sdk-suite.md.
 */
import { startDefaultServer } from './servers';

export { errors } from './errors';
export * as native from './native';

// For test files that connect to localhost:7233 without asking for a server.
if (process.env.BRANCHLINE_SUITE_DEFAULT_SERVER === '1') startDefaultServer();
