export * from '@temporalio/common/lib/workflow-handle';
