export * from '@temporalio/common/lib/deprecated-time';
