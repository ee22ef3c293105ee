/** Workflows of the gateway's tests: those of the worker's own tests, and some more. */
export * from '../../test/workflows';
