/** Server settings for data that nobody needs after a crash of the machine. */
export const throwawaySettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '500',
  autovacuum_naptime: '10s',
};
