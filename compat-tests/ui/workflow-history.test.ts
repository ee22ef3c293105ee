/** One workflow: its summary and its event history in all views. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { openWorkflow, pages } from './browser';
import { IDS } from './scene';

const eventNames = (page: Page): Promise<string[]> => page.getByTestId('event-summary-row').allInnerTexts();

pages('workflow history', (see) => {
  see('summary, input and result of a closed workflow', async ({ page, client }) => {
    await openWorkflow(page, IDS.order);
    const { runId, historyLength } = await client.workflow.getHandle(IDS.order).describe();
    const main = page.locator('main');
    for (const text of [
      runId,
      'orderFulfilment',
      'orders',
      'Typescript',
      'receipt 1001/42: shipped 2 parcels',
      '"pens"',
    ]) {
      await main.getByText(text).first().waitFor();
    }
    expect(await page.getByTestId('history-tab').innerText()).toMatch(new RegExp(`History\\s*${historyLength}`));
  });

  see('every event of it', async ({ page, client }) => {
    await openWorkflow(page, IDS.order);
    const { events = [] } = await client.workflow.getHandle(IDS.order).fetchHistory();
    await page.getByTestId('feed').click();
    await expect.poll(async () => (await eventNames(page)).length).toBe(events?.length);
    const rows = await eventNames(page);
    expect(rows[0]).toContain('Workflow Execution Completed');
    expect(rows.at(-1)).toContain('Workflow Execution Started');
    for (const name of [
      'Local Activity',
      'Timer Fired',
      'Upsert Workflow Search Attributes',
      'Activity Task Completed',
    ]) {
      expect(rows.some((row) => row.includes(name))).toBe(true);
    }
  });

  see('an event that is opened', async ({ page }) => {
    await openWorkflow(page, IDS.order);
    await page.getByTestId('feed').click();
    await page.getByTestId('event-summary-row').first().getByTestId('link').click();
    await page.waitForURL(/history\/events\/\d+$/);
    for (const text of ['Workflow Task Completed Event ID', 'receipt 1001/42']) {
      await page.locator('main').getByText(text).first().waitFor();
    }
  });

  see('the events by what they belong to', async ({ page }) => {
    await openWorkflow(page, IDS.order);
    await page.getByTestId('compact').click();
    await expect
      .poll(async () =>
        (await eventNames(page)).map((row) => /Child Workflow|Local Activity|Activity|Timer/.exec(row)?.[0]),
      )
      .toEqual(['Child Workflow', 'Activity', 'Activity', 'Timer', 'Activity', 'Local Activity']);
  });

  see('the history as JSON', async ({ page }) => {
    await openWorkflow(page, IDS.order);
    await page.getByTestId('json').click();
    await page
      .getByText('EVENT_TYPE_WORKFLOW_EXECUTION_STARTED')
      .or(page.getByText('WorkflowExecutionStarted'))
      .first()
      .waitFor();
  });

  see('the timeline', async ({ page }) => {
    await openWorkflow(page, IDS.order);
    for (const text of ['shipment', 'pack', 'charge', 'price', 'let the warehouse breathe']) {
      await page.locator('svg').getByText(text, { exact: true }).first().waitFor();
    }
  });

  see('a workflow that failed', async ({ page }) => {
    await openWorkflow(page, IDS.declined);
    await page.locator('main').getByText('The card was declined').first().waitFor();
    await page.locator('main').getByText('CardDeclined').first().waitFor();
  });

  see('a workflow that runs', async ({ page }) => {
    await openWorkflow(page, IDS.approval);
    await page.getByTestId('feed').click();
    await page.locator('main').getByText('Workflow Execution Update Accepted').first().waitFor();
    await page.locator('main').getByText('Workflow Execution Update Completed').first().waitFor();
  });
});
