export * from '@temporalio/common/lib/converter/serialization-context';
