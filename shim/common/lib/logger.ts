export * from '@temporalio/common/lib/logger';
