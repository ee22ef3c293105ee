/** The value, or undefined once the caller goes away: the namespace may have to be asked of a database that is down. */
export function unlessAborted<T>(
  value: T | Promise<T>,
  signal: AbortSignal | undefined,
): T | undefined | Promise<T | undefined> {
  if (signal === undefined || !(value instanceof Promise)) return value;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
