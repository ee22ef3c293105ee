/** Of so many slots that come free while both wait, one goes to who is not urgent. */
const turnOfOthers = 4;

/** Slots of one kind of task: at most `limit` are taken at once; waiters are served in order, urgent ones mostly first. */
export class Slots {
  private taken = 0;
  private readonly waiting: { grant: () => void }[] = [];
  private readonly urgent: { grant: () => void }[] = [];
  private turn = 0;

  constructor(readonly limit: number) {}

  get used(): number {
    return this.taken;
  }

  /** Takes a slot if one is free. */
  tryTake(): boolean {
    if (this.taken >= this.limit) return false;
    this.taken += 1;
    return true;
  }

  /** Takes a slot, waiting for one. Resolves to false, with none taken, once `signal` has aborted. */
  take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.tryTake()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const entry = {
        grant: (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(true);
        },
      };
      const onAbort = (): void => {
        const index = this.waiting.indexOf(entry);
        if (index >= 0) this.waiting.splice(index, 1);
        resolve(false);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(entry);
    });
  }

  /** Calls back with a slot taken: at once when one is free. */
  whenFree(start: () => void, urgent = false): void {
    if (this.tryTake()) start();
    else (urgent ? this.urgent : this.waiting).push({ grant: start });
  }

  release(): void {
    const next = this.next();
    if (next !== undefined) next.grant();
    else this.taken -= 1;
  }

  private next(): { grant: () => void } | undefined {
    if (this.urgent.length === 0) return this.waiting.shift();
    if (this.waiting.length > 0 && ++this.turn % turnOfOthers === 0) return this.waiting.shift();
    return this.urgent.shift();
  }
}
