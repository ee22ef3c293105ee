/** The results as JSON: compat-tests/out/ui.json, one line for each page or action. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const OUT = join(import.meta.dirname, '../out');

export default class UiReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const pages = modules
      .flatMap((module) => [...module.children.allTests()])
      .map((test) => ({
        name: `${test.parent.type === 'suite' ? `${test.parent.name}: ` : ''}${test.name}`,
        outcome: test.result().state,
        screenshot: test.meta().screenshot ?? null,
      }));
    mkdirSync(OUT, { recursive: true });
    writeFileSync(join(OUT, 'ui.json'), `${JSON.stringify({ date: new Date().toISOString(), pages }, null, 2)}\n`);
  }
}
