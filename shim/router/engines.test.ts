import type { ConnectionLike } from '@temporalio/client';
import { expect, it } from 'vitest';
import { type Engine, Engines } from './engines';
import { skewedDate } from '../../test/support/skewed-date';
import { Code, refusal } from './errors';

/** An engine that answers with a status, or that knows nothing but deadlines. */
function engineOf(fails: () => Code): { engine: Engine; calls: () => number } {
  let calls = 0;
  const connection = {
    withDeadline: (_at: number, fn: () => Promise<unknown>) => fn(),
    workflowService: {
      describeWorkflowExecution: () => {
        calls++;
        return Promise.reject(refusal(fails(), 'BRANCHLINE_TEST', 'fails'));
      },
    },
  } as unknown as ConnectionLike;
  return { engine: { name: 'e', kind: 'temporal', connection, startedElsewhere: true }, calls: () => calls };
}
const ask = (engines: Engines) => engines.callWithin('e', 'describeWorkflowExecution', {}, 1000);

it.each([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED])(
  'an engine that was not reached (%s) is not asked again for a moment',
  async (code) => {
    const { engine, calls } = engineOf(() => code);
    const engines = new Engines([engine]);
    await expect(ask(engines)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    await expect(ask(engines)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
    expect(calls()).toBe(1);
  },
);

it('an engine is asked again when it was the caller who gave up', async () => {
  const { engine, calls } = engineOf(() => Code.CANCELLED);
  const engines = new Engines([engine]);
  await expect(ask(engines)).rejects.toMatchObject({ code: Code.CANCELLED });
  const late = engineOf(() => Code.DEADLINE_EXCEEDED);
  const others = new Engines([late.engine]);
  const impatient = () => others.withDeadline(Date.now() + 10, () => ask(others));
  await expect(impatient()).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  await expect(impatient()).rejects.toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  expect([calls(), late.calls()]).toEqual([1, 2]);
});

it('an engine that was not reached is asked again after a moment, though the clock was set back an hour', async () => {
  const set = skewedDate(0);
  let up = false;
  const { engine, calls } = engineOf(() => (up ? Code.NOT_FOUND : Code.UNAVAILABLE));
  const engines = new Engines([engine]);
  await expect(ask(engines)).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  up = true;
  set(-3_600_000);
  const status = () => ask(engines).catch((error: { code: Code }) => error.code);
  await expect.poll(status, { timeout: 10_000 }).toBe(Code.NOT_FOUND);
  expect(calls()).toBe(2);
});
