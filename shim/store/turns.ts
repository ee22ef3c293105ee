/** So many at a time; the others wait for their turn, first come, first served. */
export class Turns {
  private readonly queue: (() => void)[] = [];
  private taken = 0;

  constructor(private readonly atMost: number) {}

  get open(): number {
    return this.taken;
  }

  get waiting(): number {
    return this.queue.length;
  }

  /** At once, or when it is the caller's turn; whoever has it gives it back. */
  take(): Promise<void> | void {
    if (this.taken < this.atMost) this.taken++;
    else return new Promise((resolve) => this.queue.push(resolve));
  }

  give(): void {
    const next = this.queue.shift();
    if (next === undefined) this.taken--;
    else next();
  }
}
