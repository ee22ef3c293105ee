/** Double-entry book-keeping that would show each booking that is lost or done twice: rows are added, nothing makes them unique. */
import { activityInfo, transactional } from 'branchline/activity';
import type { Pool } from 'pg';

export const BOOK = `
  CREATE SCHEMA IF NOT EXISTS book;
  CREATE TABLE IF NOT EXISTS book.entries (transfer text NOT NULL, step text NOT NULL, account text NOT NULL, cents integer NOT NULL);
  CREATE TABLE IF NOT EXISTS book.paid (transfer text PRIMARY KEY)`;

export const STEPS = ['withdraw', 'charge', 'deposit'] as const;
const FEE = 1;

type Booking = [from: string, to: string, cents: number];
export const INSERT = 'INSERT INTO book.entries VALUES ($1, $2, $3, $4)';

export const bookingsOf = {
  withdraw: (from: string, cents: number): Booking => [from, 'transit', cents],
  charge: (from: string): Booking => [from, 'bank', FEE],
  deposit: (to: string, cents: number): Booking => ['transit', to, cents],
};

export const ledgerActivities = {
  withdraw: booking('withdraw', bookingsOf.withdraw),
  charge: booking('charge', bookingsOf.charge),
  deposit: booking('deposit', bookingsOf.deposit),
};
export type LedgerActivities = typeof ledgerActivities;

function booking<Args extends unknown[]>(step: string, of: (...args: Args) => Booking) {
  return transactional(async (tx, ...args: Args): Promise<void> => {
    const [from, to, cents] = of(...args);
    const { workflowExecution } = activityInfo();
    await tx.query(INSERT, [workflowExecution?.workflowId, step, from, -cents]);
    await tx.query(INSERT, [workflowExecution?.workflowId, step, to, cents]);
  });
}

export interface Transfer {
  id: string;
  from: string;
  to: string;
  cents: number;
  /** Started and paid by transactions of the application; else all its steps are activities. */
  byCaller: boolean;
}

/** Transfer number `n` between ten accounts. */
export const transferOf = (id: string, n: number, byCaller: boolean): Transfer => ({
  id,
  byCaller,
  from: `account-${n % 10}`,
  to: `account-${(n * 7 + 3) % 10}`,
  cents: 100 + (n % 900),
});

export interface Audit {
  entries: number;
  /** What all accounts hold together: nothing, as each cent that came went somewhere. */
  total: number;
  /** Cents between two accounts. */
  transit: number;
  bank: number;
  /** Bookings that are not there exactly once, accounts that hold something else than they should. */
  faults: string[];
}

export async function audit(db: Pool, transfers: Transfer[]): Promise<Audit> {
  const { rows } = await db.query<{ transfer: string; step: string; account: string; cents: number }>(
    'SELECT transfer, step, account, cents FROM book.entries',
  );
  const [entries, balances, expected] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  const add = (map: Map<string, number>, key: string, value: number): void =>
    void map.set(key, (map.get(key) ?? 0) + value);
  for (const { transfer, step, account, cents } of rows) {
    add(entries, `${transfer} ${step}`, 1);
    add(balances, account, cents);
  }
  for (const { id, from, to, cents } of transfers) {
    for (const step of STEPS) entries.set(`${id} ${step}`, (entries.get(`${id} ${step}`) ?? 0) - 2);
    add(expected, from, -cents - FEE);
    add(expected, to, cents);
    add(expected, 'bank', FEE);
  }
  expected.set('transit', 0);
  const of = (account: string): number => balances.get(account) ?? 0;
  return {
    entries: rows.length,
    total: rows.reduce((sum, { cents }) => sum + cents, 0),
    transit: of('transit'),
    bank: of('bank'),
    faults: [
      ...[...entries]
        .filter(([, n]) => n !== 0)
        .map(([key, n]) => `${key}: ${n > 0 ? `${n} too many` : `${-n} missing`}`),
      ...[...expected]
        .filter(([account, cents]) => of(account) !== cents)
        .map(([account, cents]) => `${account}: ${of(account)} instead of ${cents}`),
    ],
  };
}
