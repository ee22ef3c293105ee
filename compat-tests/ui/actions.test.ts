/** What a reader of the pages can do to workflows. */
import { randomUUID } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openWorkflow, pages, type Seen } from './browser';
import { NAMESPACES, TASK_QUEUE } from './scene';
import * as workflows from './workflows';

const DONE_MS = 30_000;

/** A workflow of the test's own that waits for its approval. */
async function waiting({ client }: Pick<Seen, 'client'>, prefix: string) {
  const workflowId = `${prefix}-${randomUUID().slice(0, 8)}`;
  const handle = await client.workflow.start(workflows.approval, {
    workflowId,
    taskQueue: TASK_QUEUE,
    args: [{ id: prefix, items: [] }],
  });
  // The page offers signals and updates by the names that the worker tells.
  await handle.query(workflows.status);
  return handle;
}

/** The dialog behind an item of the menu; the page holds it twice, for narrow and for wide screens. */
async function dialogOf(page: Page, item: string): Promise<Locator> {
  await page.getByRole('button', { name: 'More Actions' }).click();
  await page.getByTestId(`${item}-button`).last().click();
  const dialog = page.locator(`dialog[data-testid="${item}-confirmation-modal"]:visible`);
  await dialog.waitFor();
  return dialog;
}

const confirm = (dialog: Locator): Promise<void> => dialog.getByTestId('confirm-modal-button').click();

const status = async (handle: { describe(): Promise<{ status: { name: string } }> }): Promise<string> =>
  (await handle.describe()).status.name;

pages(
  'actions',
  (see) => {
    see('a signal with an argument', async (seen) => {
      const handle = await waiting(seen, 'signalled');
      await openWorkflow(seen.page, handle.workflowId, NAMESPACES.changed);
      const dialog = await dialogOf(seen.page, 'signal');
      await dialog.getByTestId('signal-select-button').click();
      await dialog.getByRole('option', { name: /^approve/ }).click();
      await dialog.locator('.cm-content').click();
      await seen.page.keyboard.type('"the page"');
      await confirm(dialog);
      expect(await handle.result()).toBe('approved by the page');
      await seen.page.locator('main').getByText('approved by the page').first().waitFor();
    });

    see('an update', async (seen) => {
      const handle = await waiting(seen, 'updated');
      await openWorkflow(seen.page, handle.workflowId, NAMESPACES.changed);
      const dialog = await dialogOf(seen.page, 'update');
      await dialog.getByTestId('update-select-button').click();
      await dialog.getByRole('option', { name: /^setPriority/ }).click();
      await dialog.locator('.cm-content').click();
      await seen.page.keyboard.type('7');
      await confirm(dialog);
      await expect.poll(() => handle.query(workflows.status), { timeout: DONE_MS }).toBe('updated waits, priority 7');
      await seen.page.getByText('priority 7').first().waitFor();
    });

    see('a request for cancellation', async (seen) => {
      const handle = await waiting(seen, 'cancelled');
      await openWorkflow(seen.page, handle.workflowId, NAMESPACES.changed);
      await seen.page.getByRole('button', { name: 'Request Cancellation' }).click();
      await confirm(seen.page.locator('dialog[data-testid="cancel-confirmation-modal"]:visible'));
      await expect.poll(() => status(handle), { timeout: DONE_MS }).toBe('CANCELLED');
      await seen.page.locator('main').getByText('Canceled', { exact: true }).first().waitFor();
    });

    see('a termination', async (seen) => {
      const handle = await waiting(seen, 'terminated');
      await openWorkflow(seen.page, handle.workflowId, NAMESPACES.changed);
      const dialog = await dialogOf(seen.page, 'terminate');
      await dialog.getByTestId('workflow-termination-reason').fill('enough of it');
      await confirm(dialog);
      await expect.poll(() => status(handle), { timeout: DONE_MS }).toBe('TERMINATED');
      await seen.page.locator('main').getByText('enough of it').first().waitFor();
    });

    see('a reset', async (seen) => {
      const handle = await waiting(seen, 'reset');
      const before = (await handle.describe()).runId;
      await openWorkflow(seen.page, handle.workflowId, NAMESPACES.changed);
      const dialog = await dialogOf(seen.page, 'reset');
      await dialog.getByTestId('workflow-reset-event-id-select-button').click();
      await dialog.getByRole('option').first().click();
      await dialog.getByTestId('reset-reason').fill('from the page');
      await confirm(dialog);
      const again = seen.client.workflow.getHandle(handle.workflowId);
      await expect.poll(async () => (await again.describe()).runId, { timeout: DONE_MS }).not.toBe(before);
      await seen.page.locator('main').getByText('Terminated', { exact: true }).first().waitFor();
      await again.signal(workflows.approve, 'the test');
      expect(await again.result()).toBe('approved by the test');
    });

    see('a start', async ({ page, client }) => {
      const workflowId = `started-${randomUUID().slice(0, 8)}`;
      await page.goto('/namespaces/changes/workflows/start-workflow');
      await page.getByTestId('workflowId').fill(workflowId);
      await page.getByTestId('taskQueue').fill(TASK_QUEUE);
      await page.getByTestId('workflowType').fill('report');
      await page.locator('main .cm-content').first().click();
      await page.keyboard.type('"by hand"');
      await page.getByTestId('start-workflow-button').click();
      await expect
        .poll(() => client.workflow.getHandle(workflowId).result().catch(String), { timeout: DONE_MS })
        .toBe('report by hand');
      await openWorkflow(page, workflowId, NAMESPACES.changed);
      await page.locator('main').getByText('report by hand').first().waitFor();
    });

    see('a termination of all that a filter finds', async (seen) => {
      const { page, client } = seen;
      const handles = [await waiting(seen, 'crowd'), await waiting(seen, 'crowd')];
      const query = '`WorkflowId` STARTS_WITH "crowd" AND `ExecutionStatus`="Running"';
      await page.goto(`/namespaces/changes/workflows?query=${encodeURIComponent(query)}`);
      await expect.poll(() => page.getByTestId('workflow-count').innerText(), { timeout: DONE_MS }).toBe('2');
      await page.getByTestId('batch-actions-checkbox').click();
      await page.getByTestId('bulk-terminate-button').click();
      await confirm(page.locator('dialog[data-testid="batch-terminate-confirmation"]:visible'));
      for (const handle of handles) await expect.poll(() => status(handle), { timeout: DONE_MS }).toBe('TERMINATED');
      await page.goto('/namespaces/changes/batch-operations');
      await page.locator('main').getByText('Completed').first().waitFor();
      await page.locator('main table').getByRole('link').first().click();
      await page.waitForURL(/batch-operations\/.+/);
      await page
        .locator('main')
        .getByText(/terminate/i)
        .first()
        .waitFor();
      expect(await client.workflow.count('WorkflowId STARTS_WITH "crowd" AND ExecutionStatus="Running"')).toMatchObject(
        {
          count: 0,
        },
      );
    });

    see('an activity that is paused and unpaused', async (seen) => {
      const workflowId = `pausing-${randomUUID().slice(0, 8)}`;
      const handle = await seen.client.workflow.start(workflows.carrierBooking, { workflowId, taskQueue: TASK_QUEUE });
      const activity = async () => (await handle.describe()).raw.pendingActivities?.[0];
      await expect.poll(async () => Number((await activity())?.attempt), { timeout: DONE_MS }).toBeGreaterThan(1);
      await openWorkflow(seen.page, workflowId, NAMESPACES.changed);
      await seen.page.getByTestId('pending-activities-tab').click();
      await seen.page.getByRole('button', { name: 'Pause', exact: true }).click();
      await confirm(seen.page.locator('dialog[data-testid="activity-pause-confirmation-modal"]:visible'));
      await expect.poll(async () => (await activity())?.paused, { timeout: DONE_MS }).toBe(true);
      await seen.page.getByRole('button', { name: 'Unpause', exact: true }).click();
      await confirm(seen.page.locator('dialog[data-testid="activity-unpause-confirmation-modal"]:visible'));
      await expect.poll(async () => (await activity())?.paused, { timeout: DONE_MS }).not.toBe(true);
    });
  },
  NAMESPACES.changed,
);
