/** Which workflows a run of the fault test is made of, and what each must return. */
export const KINDS = [
  'steps',
  'fan',
  'timers',
  'signals',
  'parent',
  'chain',
  'locals',
  'updates',
  'messenger',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Planned {
  workflowId: string;
  kind: Kind;
  n: number;
  result: number;
  /** A workflow that goes on after this one has closed, and returns `n`. */
  leaves: string | null;
  /** Ledger rows it must leave: key → value. */
  ledger: Record<string, number>;
}

const stepsLedger = (id: string, n: number): Record<string, number> =>
  Object.fromEntries([0, 1, 2, 3].map((i) => [`${id}/step-${i}`, n + i]));
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

export function planOf(count: number): Planned[] {
  return Array.from({ length: count }, (_, n) => {
    const kind = KINDS[n % KINDS.length]!;
    const workflowId = `${kind}-${n}`;
    const ledger = ledgerOf(kind, workflowId, n);
    const result = { chain: 3 * n, updates: 3 * n, messenger: n + 3 }[kind as string] ?? sum(Object.values(ledger));
    const leaves = kind === 'messenger' ? `${workflowId}/orphan` : null;
    return { workflowId, kind, n, result, leaves, ledger };
  });
}

function ledgerOf(kind: Kind, id: string, n: number): Record<string, number> {
  switch (kind) {
    case 'steps':
      return stepsLedger(id, n);
    case 'fan':
      return Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${id}/fan-${i}`, n + i]));
    case 'timers':
      return { [`${id}/after`]: n };
    case 'signals':
      return { [`${id}/signalled`]: n + 3 };
    case 'parent':
      return { ...stepsLedger(`${id}/steps`, n), [`${id}/timers/after`]: n };
    case 'chain':
      return Object.fromEntries([0, 1, 2].map((round) => [`${id}/round-${round}`, n]));
    case 'locals':
      return { [`${id}/local`]: 3 * n + 3 };
    case 'updates':
      return { [`${id}/update`]: 2 * n };
    case 'messenger':
      return { [`${id}/listener/signalled`]: n + 3, [`${id}/orphan/cancelled`]: n };
  }
}
