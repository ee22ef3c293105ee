export * from '@temporalio/common/lib/internal-workflow';
