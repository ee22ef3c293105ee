/** Idle connections and waits in memory hold no handle: without one of these, Node would exit under a call that is not answered yet. */
let holders = 0;
let keepAlive: NodeJS.Timeout | undefined;

/** Keeps the process alive until {@link letGo}. */
export function hold(): void {
  if (holders++ === 0) keepAlive = setInterval(() => undefined, 2 ** 30);
}

export function letGo(): void {
  if (--holders === 0) clearInterval(keepAlive);
}
