export * from '@temporalio/common/lib/type-helpers';
