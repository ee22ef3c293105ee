/** Calls that are made while one is under way go together in the next: one round trip for many. */
export class Gathering<Input, Output> {
  private waiting: { input: Input; resolve(output: Output): void; reject(error: unknown): void }[] = [];
  private busy = false;

  constructor(
    private readonly perform: (inputs: Input[]) => Promise<Output[]>,
    private readonly atMost: number,
  ) {}

  call(input: Input): Promise<Output> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ input, resolve, reject });
      if (!this.busy) {
        this.busy = true;
        // All that is called in this turn goes along.
        queueMicrotask(() => void this.run());
      }
    });
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.atMost);
      try {
        const outputs = await this.perform(batch.map(({ input }) => input));
        batch.forEach(({ resolve }, i) => resolve(outputs[i]!));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.busy = false;
  }
}
