export * from '@temporalio/common/lib/protobufs';
