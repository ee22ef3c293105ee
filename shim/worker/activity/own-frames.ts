/** From the first frame of activity.ts on, a stack trace tells of the worker and no longer of the activity. */
const ownFrames = /\n\s+at [^\n]*[\\/](?:shim|lib)[\\/]worker[\\/]activity[\\/]activity\.[jt]s:\d[^]*$/;

/** Cuts them off an error and its causes, as Temporal's worker does with its own. Errors that cannot be written to stay as they are. */
export function cutOwnFrames(error: unknown): void {
  const seen = new Set<unknown>();
  for (let one = error; one instanceof Error && !seen.has(one); one = one.cause) {
    seen.add(one);
    if (typeof one.stack === 'string') Reflect.set(one, 'stack', one.stack.replace(ownFrames, ''));
  }
}
