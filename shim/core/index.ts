/** The workflow core: history to activations, completions to commands. Pure; see types.ts for its contract. */
export * from './types';
export { createCoreRun } from './run';
export { LEGACY_QUERY_ID } from './activation';
export { randomnessSeed } from './random-seed';
export { workflowInfo } from './workflow-info';
export type { WorkflowInfoOptions } from './workflow-info';
