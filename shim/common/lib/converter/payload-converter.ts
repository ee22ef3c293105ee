export * from '@temporalio/common/lib/converter/payload-converter';
