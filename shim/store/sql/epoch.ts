/** Times as the code has them: epoch ms, and ms between them. */
export const epochMs = (time: string): string => `extract(epoch FROM ${time})::float8 * 1000`;

const interval = (ms: string): string => `make_interval(secs => ${ms}::float8 / 1000)`;
export const fromNow = (ms: string): string => `clock_timestamp() + ${interval(ms)}`;
export const ago = (ms: string): string => `clock_timestamp() - ${interval(ms)}`;
