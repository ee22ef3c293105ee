/** Updates and queries. */
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  setDefaultQueryHandler,
  setDefaultUpdateHandler,
  setHandler,
  sleep,
  workflowInfo,
  currentUpdateInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities';

const { echo } = proxyActivities<Activities>({ startToCloseTimeout: '20s' });

export const set = defineUpdate<string, [string, string?]>('set');
export const end = defineSignal<[string?]>('end');
export const look = defineQuery<string[], [string?]>('look');

/** Updates of many kinds; ends as the signal says. */
export async function updatable(): Promise<string[]> {
  const seen: string[] = [];
  let ended: string | undefined;
  setHandler(
    set,
    async (value: string, how: string = 'at once') => {
      seen.push(value);
      if (how === 'timer') await sleep(100);
      if (how === 'activity') return echo(value);
      if (how === 'never') await condition(() => false);
      if (how === 'until end') await condition(() => ended !== undefined);
      if (how === 'fail')
        throw ApplicationFailure.create({ message: 'failed update', type: 'Failed', details: [value] });
      if (how === 'id') return currentUpdateInfo()?.id === undefined ? 'none' : `id ${currentUpdateInfo()!.id}`;
      if (how === 'end here') ended = 'by update';
      return `set ${value}`;
    },
    {
      validator: (value: string, _how?: string) => {
        if (value === 'bad') throw ApplicationFailure.create({ message: 'refused', type: 'Refused', details: [1] });
        if (value === 'error') throw new TypeError('validator broke');
      },
    },
  );
  setHandler(look, (how = '') => {
    if (how === 'fail') throw new Error('query failed');
    return [...seen, ended ?? 'open'];
  });
  setHandler(end, (how = 'done') => void (ended = how));
  await condition(() => ended !== undefined);
  if (ended === 'wait') await condition(allHandlersFinished);
  if (ended === 'fail') throw ApplicationFailure.create({ message: 'ended badly', type: 'Ended' });
  if (ended === 'continue') await continueAsNew<typeof updatable>();
  return seen;
}

/** An update as soon as it starts. */
export async function updateAtStart(): Promise<string> {
  let value = 'none';
  setHandler(set, (next) => {
    value = next;
    return `set ${next}`;
  });
  await condition(() => value !== 'none');
  return `${value} in ${workflowInfo().workflowType}`;
}

export async function defaultHandlers(): Promise<void> {
  let ended = false;
  setDefaultQueryHandler((name, ...args) => ({ query: name, args }));
  setDefaultUpdateHandler((name, ...args) => ({ update: name, args }));
  setHandler(end, () => void (ended = true));
  await condition(() => ended);
}
