/** Schedules: the list, one of them, and what can be done to them from the pages. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { pages, type Seen } from './browser';
import { NAMESPACES, type Namespace, SCHEDULE, TASK_QUEUE } from './scene';

const DONE_MS = 30_000;

async function open(page: Page, id: string, namespace: Namespace): Promise<void> {
  await page.goto(`/namespaces/${namespace}/schedules/${id}`);
  await page.getByTestId('schedule-name').filter({ hasText: id }).waitFor();
}

const dialog = (page: Page): Locator => page.locator('dialog:visible').first();

pages('schedules', (see) => {
  see('all schedules', async ({ page }) => {
    await page.goto('/namespaces/default/schedules');
    const row = page.getByRole('row').filter({ hasText: SCHEDULE });
    await row.waitFor();
    expect(await row.innerText()).toMatch(/Running[^]*weekly-report[^]*report[^]*06:00:00/);
    await page.getByRole('heading', { name: /^1\s+Schedule$/ }).waitFor();
  });

  see('one schedule', async ({ page }) => {
    await open(page, SCHEDULE, NAMESPACES.shown);
    const main = page.locator('main');
    for (const text of [/weekly-report-workflow-.*Z$/, 'Upcoming Runs', 'for the board', '"weekly"']) {
      await main.getByText(text).first().waitFor();
    }
    expect(await page.getByTestId('workflow-status-Completed').innerText()).toMatch(/^1\s+Completed$/);
  });
});

/** A schedule of the test's own. */
const weekly = (client: Seen['client'], scheduleId: string) =>
  client.schedule.create({
    scheduleId,
    spec: { calendars: [{ dayOfWeek: 'MONDAY', hour: 6 }] },
    action: { type: 'startWorkflow', workflowType: 'report', args: ['weekly'], taskQueue: TASK_QUEUE },
  });

pages(
  'actions on schedules',
  (see) => {
    see('a pause and its end', async ({ page, client }) => {
      const schedule = await weekly(client, 'paused');
      await open(page, schedule.scheduleId, NAMESPACES.changed);
      for (const [button, paused] of [
        ['Pause', true],
        ['Unpause', false],
      ] as const) {
        await page.locator('main').getByRole('button', { name: button, exact: true }).first().click();
        await dialog(page).getByRole('textbox').fill('from the page');
        await dialog(page).getByTestId('confirm-modal-button').click();
        await expect.poll(async () => (await schedule.describe()).state.paused, { timeout: DONE_MS }).toBe(paused);
        expect((await schedule.describe()).state.note).toContain('from the page');
        await page
          .locator('main')
          .getByText(paused ? 'Paused' : 'Running', { exact: true })
          .first()
          .waitFor();
      }
    });

    see('a trigger', async ({ page, client }) => {
      const schedule = await weekly(client, 'triggered');
      const before = (await schedule.describe()).info.numActionsTaken;
      await open(page, schedule.scheduleId, NAMESPACES.changed);
      await page.getByLabel('Schedule Actions').first().click();
      await page.getByTestId('trigger-schedule').last().click();
      await dialog(page).getByTestId('confirm-modal-button').click();
      await expect
        .poll(async () => (await schedule.describe()).info.numActionsTaken, { timeout: DONE_MS })
        .toBe(before + 1);
    });

    see('one that is made and deleted', async ({ page, client }) => {
      await page.goto('/namespaces/changes/schedules/create');
      await page.getByTestId('schedule-name-input').fill('made-by-hand');
      await page.getByTestId('schedule-type-input').fill('report');
      await page.getByTestId('schedule-workflow-id-input').fill('by-hand');
      await page.getByTestId('schedule-task-queue-input').fill(TASK_QUEUE);
      await page.getByTestId('interval-tab').click();
      await page.getByTestId('hour-interval-input').fill('2');
      await page.getByTestId('create-schedule-button').click();
      await page.waitForURL(/schedules$/);
      await page.getByRole('link', { name: 'made-by-hand' }).first().waitFor();
      const { spec, action } = await client.schedule.getHandle('made-by-hand').describe();
      expect(spec.intervals).toMatchObject([{ every: 2 * 3_600_000 }]);
      expect(action).toMatchObject({ workflowType: 'report', workflowId: 'by-hand', taskQueue: TASK_QUEUE });

      await open(page, 'made-by-hand', NAMESPACES.changed);
      await page.getByLabel('Schedule Actions').first().click();
      await page.getByTestId('delete-schedule').last().click();
      await dialog(page).getByTestId('confirm-modal-button').click();
      await page.waitForURL(/schedules$/);
      await expect
        .poll(
          () =>
            client.schedule
              .getHandle('made-by-hand')
              .describe()
              .then(
                () => 'there',
                (error: Error) => error.name,
              ),
          {
            timeout: DONE_MS,
          },
        )
        .toBe('ScheduleNotFoundError');
    });
  },
  NAMESPACES.changed,
);
