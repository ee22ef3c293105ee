/** What goes wrong on a page: errors on its console, failed calls of the API. */
import type { Page } from 'playwright-core';

/** A fault that is expected, and why. */
export interface Expected {
  pattern: RegExp;
  reason: string;
}

export class Faults {
  private readonly lines: string[] = [];
  private readonly reading = new Set<Promise<void>>();

  private readonly expected: Expected[];

  constructor(page: Page, expected: readonly Expected[]) {
    this.expected = [...expected];
    page.on('pageerror', (error) => this.note(`page: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.note(`console: ${message.text()} (${message.location().url})`);
    });
    page.on('response', (response) => {
      if (response.status() < 400) return;
      const line = `${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`;
      const reading = response.text().then(
        (body) => this.note(`call: ${line} ${body}`),
        () => this.note(`call: ${line}`),
      );
      this.reading.add(reading);
    });
    page.on('requestfailed', (request) => {
      const failure = request.failure()?.errorText ?? '';
      // The page was left before the answer came.
      if (failure !== 'net::ERR_ABORTED') this.note(`request: ${failure} ${request.method()} ${request.url()}`);
    });
  }

  expect(fault: Expected): void {
    this.expected.push(fault);
  }

  /** What was unexpected since the last time. */
  async take(): Promise<string[]> {
    await Promise.all(this.reading);
    this.reading.clear();
    return this.lines.splice(0);
  }

  private note(line: string): void {
    if (!this.expected.some(({ pattern }) => pattern.test(line))) this.lines.push(line);
  }
}
