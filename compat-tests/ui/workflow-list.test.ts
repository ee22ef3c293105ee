/** The list of workflows: its columns, counts, saved views, and the filters that the page builds. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { pages } from './browser';
import { IDS, SCHEDULE } from './scene';

const LIST = '/namespaces/default/workflows';

/** Ids of the rows, sorted; those of the schedule's runs end with their time, which is left out. */
async function listed(page: Page): Promise<string[]> {
  const rows = await page.getByTestId('workflows-summary-configurable-table-row').locator('td a').allInnerTexts();
  const ids = rows.filter((text) => /^[a-z]+-\w+(\/|-workflow-|$)/.test(text) && !/^[0-9a-f]{8}-/.test(text));
  return ids.map((id) => id.replace(/-workflow-.*/, '')).sort();
}

async function shows(page: Page, ids: string[]): Promise<void> {
  await expect.poll(() => listed(page), { timeout: 30_000 }).toEqual([...ids].sort());
}

const filtered = (query: string): string => `${LIST}?query=${encodeURIComponent(query)}`;

const CHILDREN = [`${IDS.household}/first`, `${IDS.household}/second`];
const RUNNING = [IDS.approval, IDS.carrier, IDS.exporting, IDS.household, ...CHILDREN];
const ROOTS = [...Object.values(IDS), SCHEDULE];
const ALL = [...RUNNING, IDS.order, `${IDS.order}/shipment`, IDS.declined, SCHEDULE];

pages('workflow list', (see) => {
  see('all workflows, counted by status', async ({ page }) => {
    await page.goto(LIST);
    await shows(page, ALL);
    expect(await page.getByTestId('workflow-count').innerText()).toBe('10');
    expect(await page.getByTestId('workflow-status-Running').innerText()).toBe('6 Running');
    expect(await page.getByTestId('workflow-status-Completed').innerText()).toBe('3 Completed');
    expect(await page.getByTestId('workflow-status-Failed').innerText()).toBe('1 Failed');
    const order = page.getByRole('row', { name: IDS.order }).filter({ hasText: 'orderFulfilment' });
    expect(await order.innerText()).toMatch(/Completed[^]*order-1001[^]*orderFulfilment[^]*\d{4}-\d\d-\d\d UTC/);
  });

  see('the views that are always there', async ({ page }) => {
    await page.goto(LIST);
    for (const [view, ids] of [
      ['running', RUNNING],
      ['child-workflows', ROOTS],
      ['today', ALL],
      ['last-hour', ALL],
      ['all', ALL],
    ] as const) {
      await page.getByTestId(view).click();
      await shows(page, [...ids]);
    }
  });

  see('a view that is saved', async ({ page }) => {
    await page.goto(filtered('`WorkflowType`="approval"'));
    await shows(page, [IDS.approval, ...CHILDREN]);
    await page
      .getByRole('button', { name: 'Save as New' })
      .or(page.getByTestId('create-as-new-button'))
      .first()
      .click();
    await page.getByTestId('save-view-modal-input').fill('Approvals');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByTestId('all').click();
    await shows(page, ALL);
    await page.getByRole('button', { name: 'Approvals' }).click();
    await shows(page, [IDS.approval, ...CHILDREN]);
  });

  const today = new Date(Date.now() - 3_600_000).toISOString();
  for (const [query, ids] of [
    ['`ExecutionStatus`="Completed" OR `ExecutionStatus`="Failed"', ALL.filter((id) => !RUNNING.includes(id as never))],
    ['`WorkflowType`="household" AND `ExecutionStatus`="Running"', [IDS.household]],
    ['`WorkflowId` STARTS_WITH "household"', [IDS.household, ...CHILDREN]],
    [`\`ParentWorkflowId\`="${IDS.household}"`, CHILDREN],
    [`\`RootWorkflowId\`="${IDS.order}"`, [IDS.order, `${IDS.order}/shipment`]],
    ['`Customer`="globex"', [IDS.approval]],
    ['`OrderTotal`>=42', [IDS.order]],
    ['`Customer` is not null', [IDS.order, IDS.approval]],
    [`\`StartTime\`>"${today}" AND \`CloseTime\` is null`, RUNNING],
    [`\`StartTime\` BETWEEN "2020-01-01T00:00:00Z" AND "${today}"`, []],
    ['`TaskQueue`="orders" AND `HistoryLength`>20', [IDS.order]],
    [`\`TemporalScheduledById\`="${SCHEDULE}"`, [SCHEDULE]],
  ] as const) {
    see(`the filter ${query.replaceAll('`', '').replace(/"\d{4}.*?"/g, '…')}`, async ({ page }) => {
      await page.goto(filtered(query));
      await shows(page, [...ids]);
      await expect.poll(() => page.getByTestId('workflow-count').innerText()).toBe(String(ids.length));
    });
  }

  see('a filter that cannot be read', async ({ page, expecting }) => {
    expecting(/workflow-count|workflows|status of 400/, 'the filter is wrong on purpose');
    await page.goto(filtered('Colour="red"'));
    await page.getByText("column name 'Colour' is not a valid search attribute").first().waitFor();
  });
});
