/** Chromium for the tests of one file: a page for each test, its screenshot at the end, nothing wrong on it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type BrowserContext, type Page, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { expectedFaults } from './expected-faults';
import { Faults } from './faults';
import { NAMESPACES, type Namespace, type Scene, connectToScene } from './scene';

declare module 'vitest' {
  interface TaskMeta {
    /** Relative to compat-tests/out. */
    screenshot?: string;
  }
}

export const OUT = join(__dirname, '../out');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT_MS = 30_000;

export interface Seen {
  page: Page;
  /** Reads and changes the same workflows, past the pages. */
  client: Scene['client'];
  /** Names faults that this page is to have. */
  expecting(pattern: RegExp, reason: string): void;
}

/** A page or an action on it, by a name that is also the screenshot's. */
export type See = (name: string, look: (seen: Seen) => Promise<void>) => void;

/** Skipped as a whole when the tools are missing. */
export function pages(subject: string, tell: (see: See) => void, namespace: Namespace = NAMESPACES.shown): void {
  const stage = inject('stage');
  describe.skipIf(stage === null)(subject, () => {
    let context: BrowserContext;
    let scene: Scene;
    const profile = mkdtempSync(join(tmpdir(), 'branchline-chromium-'));

    beforeAll(async () => {
      if (stage === null) return;
      scene = await connectToScene(stage.database, namespace);
      context = await chromium.launchPersistentContext(profile, {
        executablePath: stage.chromium,
        args: FLAGS,
        baseURL: stage.url,
        viewport: { width: 1440, height: 900 },
        timezoneId: 'UTC',
      });
      context.setDefaultTimeout(WAIT_MS);
    });

    afterAll(async () => {
      await context?.close();
      await scene?.close();
      rmSync(profile, { recursive: true, force: true });
    });

    tell((name, look) =>
      it(name, async ({ task }) => {
        const page = await context.newPage();
        const faults = new Faults(page, expectedFaults);
        const screenshot = join(OUT, 'ui', `${subject}: ${name}`.replace(/[^a-z0-9]+/gi, '-') + '.png');
        try {
          await look({
            page,
            client: scene.client,
            expecting: (pattern, reason) => faults.expect({ pattern, reason }),
          });
          expect(await faults.take()).toEqual([]);
        } finally {
          mkdirSync(join(OUT, 'ui'), { recursive: true });
          await page.screenshot({ path: screenshot });
          task.meta.screenshot = relative(OUT, screenshot);
          await page.close();
        }
      }),
    );
  });
}

export async function openWorkflow(page: Page, id: string, namespace: Namespace = NAMESPACES.shown): Promise<void> {
  await page.goto(`/namespaces/${namespace}/workflows/${encodeURIComponent(id)}`);
  await page.getByTestId('workflow-id-heading').filter({ hasText: id }).waitFor();
}
