export * from '@temporalio/common/lib/time';
