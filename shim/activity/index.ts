/** Drop-in for `@temporalio/activity`, and transactions for activities. @module */
export * from '@temporalio/activity';
export {
  asPool,
  configureTransactions,
  transaction,
  transactional,
  type TransactionClient,
  type TransactionOptions,
} from './transactions';
