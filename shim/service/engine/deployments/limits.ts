/** Temporal's defaults (common/dynamicconfig/constants.go, matching.*). */
export const MAX_DEPLOYMENTS = 100;
export const MAX_VERSIONS = 100;
export const MAX_TASK_QUEUES = 100;
