export * from '@temporalio/common/lib/worker-deployments';
