export * from '@temporalio/common/lib/type-info';
