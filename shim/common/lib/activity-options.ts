export * from '@temporalio/common/lib/activity-options';
