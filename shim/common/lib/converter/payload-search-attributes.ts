export * from '@temporalio/common/lib/converter/payload-search-attributes';
