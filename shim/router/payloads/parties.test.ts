import { describe, expect, it } from 'vitest';
import type { PayloadParty } from '../../store/payload-types';
import { mismatches } from './parties';

const party = (
  id: string,
  engine: string | null,
  unreadable: string[] = [],
  more: Partial<PayloadParty> = {},
): PayloadParty => ({
  id,
  engine,
  namespace: 'default',
  taskQueue: engine === null ? '' : 'q',
  identity: id,
  canary: {},
  unreadable: unreadable.map((other) => ({ id: other, why: 'payload: no key' })),
  ...more,
});
const engines = (parties: PayloadParty[], clients: string[] = ['c'], home = 'temporal'): string[] => [
  ...new Set(mismatches(parties, clients, home).map(({ engine, taskQueue }) => `${engine} ${taskQueue}`)),
];

describe('What follows from who cannot read whom', () => {
  it.each([
    ['nothing, when all read all', [party('c', null), party('t', 'temporal'), party('p', 'postgres')], []],
    [
      'the engine whose worker cannot read the client',
      [party('c', null), party('t', 'temporal'), party('p', 'postgres', ['c'])],
      ['postgres q'],
    ],
    [
      'the engine whose worker the client cannot read',
      [party('c', null, ['p']), party('p', 'postgres')],
      ['postgres q'],
    ],
    [
      'the default engine as well, when it is that one',
      [party('c', null, ['t']), party('t', 'temporal')],
      ['temporal q'],
    ],
    [
      'the other engine than the default, when workers differ',
      [party('t', 'temporal', ['p']), party('p', 'postgres')],
      ['postgres q'],
    ],
    [
      'one worker of several is enough',
      [party('c', null), party('p', 'postgres'), party('p2', 'postgres', ['c'])],
      ['postgres q'],
    ],
    ['nothing from somebody who has gone', [party('c', null, ['gone']), party('p', 'postgres', ['gone'])], []],
    ["nothing from another process's client", [party('c', null), party('c2', null, ['p']), party('p', 'postgres')], []],
    [
      'nothing from workers of other queues',
      [party('t', 'temporal', ['p'], { taskQueue: 'r' }), party('p', 'postgres')],
      [],
    ],
    [
      'nothing from workers of other namespaces',
      [party('t', 'temporal', ['p'], { namespace: 'n' }), party('p', 'postgres')],
      [],
    ],
  ])('%s', (_, parties, expected) => {
    expect(engines(parties)).toEqual(expected);
  });

  it('says who, whom, where and why', () => {
    const found = mismatches([party('c', null), party('p', 'postgres', ['c'])], ['c'], 'temporal');
    expect(found).toEqual([
      {
        engine: 'postgres',
        namespace: 'default',
        taskQueue: 'q',
        sentence: 'the worker p of postgres on q cannot read what the client c writes (payload: no key)',
      },
    ]);
  });
});
