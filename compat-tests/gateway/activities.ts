/** Activities of the gateway's tests. */
export * from '../../test/support/activities';
