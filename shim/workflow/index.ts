/** Drop-in for `@temporalio/workflow`. @module */
export * from '@temporalio/workflow';
