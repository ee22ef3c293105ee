/** Table `signal_requests`: ids of signals already taken. Written by `commit_batch`. */
export const signalRequests = (s: string) => ({
  ofRun: `SELECT request_id FROM ${s}.signal_requests WHERE run_id = $1`,
});
