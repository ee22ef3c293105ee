/** One workflow: what stands beside its history. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { openWorkflow, pages } from './browser';
import { IDS } from './scene';

async function shows(page: Page, ...texts: (string | RegExp)[]): Promise<void> {
  for (const text of texts) await page.locator('main').getByText(text).first().waitFor();
}

async function openTab(page: Page, id: string, tab: string): Promise<void> {
  await openWorkflow(page, id);
  await page.getByTestId(`${tab}-tab`).click();
}

pages('workflow tabs', (see) => {
  see('an activity that is tried again', async ({ page }) => {
    await openTab(page, IDS.carrier, 'pending-activities');
    await shows(page, 'callCarrier', /\d+ of Unlimited/, 'The carrier does not answer', 'CarrierDown', 'orders-worker');
  });

  see('an activity that runs and sends heartbeats', async ({ page }) => {
    await openTab(page, IDS.exporting, 'pending-activities');
    await shows(page, 'exportRows', 'Started', 'Last Heartbeat', '"rows"');
  });

  see('the call stack', async ({ page }) => {
    await openTab(page, IDS.approval, 'call-stack');
    await shows(page, /Call Stack at/, /workflows\.ts:\d+/);
  });

  see('a query and its answer', async ({ page }) => {
    await openTab(page, IDS.approval, 'queries');
    await page.getByTestId('query-select-button').click();
    await shows(page, 'Where the order stands');
    await page.getByRole('option', { name: /^status/ }).click();
    await page.getByRole('button', { name: 'Run Query' }).click();
    await page.getByTestId('query-result').getByText('1003 waits, priority 3').waitFor();
  });

  see('a query of a closed workflow', async ({ page }) => {
    await openTab(page, IDS.order, 'queries');
    await page.getByTestId('query-select-button').click();
    await page.getByRole('option', { name: /^__temporal_workflow_metadata/ }).click();
    await page.getByRole('button', { name: 'Run Query' }).click();
    await page.getByTestId('query-result').getByText('orderFulfilment').first().waitFor();
  });

  see('summary, details and timers with a summary', async ({ page }) => {
    await openTab(page, IDS.order, 'user-metadata');
    await shows(page, 'let the warehouse breathe');
    // They are Markdown, shown in frames.
    const frames = page.locator('main iframe');
    await frames.nth(1).waitFor();
    await frames.nth(0).contentFrame().getByText('acme').waitFor();
    await frames.nth(1).contentFrame().getByText('wrapped').waitFor();
  });

  see('the current details of a running workflow', async ({ page }) => {
    await openTab(page, IDS.approval, 'user-metadata');
    await page.locator('main iframe').last().contentFrame().getByText('waits for its approval').waitFor();
  });

  see('search attributes', async ({ page }) => {
    await openTab(page, IDS.order, 'search-attributes');
    await shows(page, '"Customer"', '"acme"', '"OrderTotal"', '42');
  });

  see('the memo', async ({ page }) => {
    await openTab(page, IDS.order, 'memo');
    await shows(page, '"note"', '"a gift"');
  });

  see('children and parents', async ({ page }) => {
    await openTab(page, IDS.household, 'relationships');
    await shows(page, `${IDS.household}/first`, `${IDS.household}/second`);
    await openTab(page, `${IDS.household}/first`, 'relationships');
    await shows(page, IDS.household, `${IDS.household}/second`);
    expect(await page.getByTestId('relationships-tab').innerText()).toMatch(/1/);
  });

  see('the workers of its task queue', async ({ page }) => {
    await openTab(page, IDS.order, 'workers');
    // Rows of the history may still be there.
    const worker = page.locator('tr:not([data-eventid])').filter({ hasText: 'orders-worker' });
    await worker.waitFor();
    expect(await worker.innerText()).toMatch(/\d{4}-\d\d-\d\d UTC/);
  });

  see('the pollers of a task queue', async ({ page }) => {
    await page.goto('/namespaces/default/task-queues/orders');
    const worker = page.getByRole('row').filter({ hasText: 'orders-worker' });
    await worker.waitFor();
    expect(await worker.innerText()).toMatch(/\d{4}-\d\d-\d\d UTC/);
    for (const [kind, polled] of [
      ['workflow', 'Yes'],
      ['activity', 'Yes'],
      ['nexus', 'No'],
    ] as const) {
      expect(await worker.getByTestId(`${kind}-poller`).locator('title').textContent()).toBe(polled);
    }
  });

  see('the namespaces', async ({ page }) => {
    await page.goto('/namespaces');
    await page.getByRole('link', { name: 'default' }).first().click();
    await shows(page, 'Retention Period', 'Customer', 'OrderTotal', 'Temporal Server Version');
  });

  see('that there is no archive', async ({ page }) => {
    await page.goto('/namespaces/default/archival');
    await shows(page, 'not enabled for archival');
  });

  see('that there are no worker deployments', async ({ page }) => {
    await page.goto('/namespaces/default/worker-deployments');
    await shows(page, 'No Worker Deployments');
  });
});
