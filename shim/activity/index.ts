/** Drop-in for `@temporalio/activity`. @module */
export * from '@temporalio/activity';
