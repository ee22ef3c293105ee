/** Work that runs once at a time; what is asked for while it runs is done once more, after it. */
export class OneAtATime {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  /** `work` never throws. */
  constructor(private readonly work: () => Promise<void>) {}

  /** Resolves when it was done with all that is known now. */
  run(): Promise<void> {
    if (this.running === undefined) return this.begin();
    return (this.next ??= this.running.then(() => {
      this.next = undefined;
      return this.begin();
    }));
  }

  /** Until what runs now is done. */
  async settled(): Promise<void> {
    await (this.next ?? this.running);
  }

  private begin(): Promise<void> {
    return (this.running = this.work().finally(() => (this.running = undefined)));
  }
}
