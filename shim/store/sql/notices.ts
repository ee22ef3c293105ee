/** Wake-ups between processes: NOTIFY, and table `notices` for processes that cannot LISTEN. */
export const notices = (s: string) => ({
  notify: `SELECT pg_notify($1, n) FROM unnest($2::text[]) AS n`,
  post: `INSERT INTO ${s}.notices (sender, notice) SELECT $1, n FROM unnest($2::text[]) AS n`,
  // Ids do not come in the order of commits: each poll looks back and the reader skips what it has seen.
  poll: `SELECT id::text AS id, notice FROM ${s}.notices WHERE sender <> $1 AND sent_at > clock_timestamp() - interval '5 seconds' ORDER BY id`,
  sweep: `DELETE FROM ${s}.notices WHERE sent_at < clock_timestamp() - interval '1 minute'`,
});
