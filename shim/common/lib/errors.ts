export * from '@temporalio/common/lib/errors';
