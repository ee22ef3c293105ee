export * from '@temporalio/common/lib/versioning-intent';
