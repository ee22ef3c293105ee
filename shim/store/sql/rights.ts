/** What the current user may do. `s` is the quoted schema. */
export const rights = (s: string) => ({
  own: `SELECT has_table_privilege('${s}.tasks', 'UPDATE') AS work, has_table_privilege('${s}.executions', 'DELETE') AS expire,
    row_security_active('${s}.executions') AS restricted`,
});
