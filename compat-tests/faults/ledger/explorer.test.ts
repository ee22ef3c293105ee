/** A ledger balances wherever workers, callers, connections and Postgres die; and it does not once what keeps it so is gone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Explorer, VICTIMS, type Explored, type Lane, type Place, type Victim } from './explorer';
import { kindsOf, type Kind } from './kinds';
import { MUTATIONS } from './mutations';
import type { Passed } from './wire-proxy';

/** Every how many-th statement is explored, by victim: what kills whole processes takes a second and more. */
const EVERY: Record<Victim, number> = { worker: 1, connection: 1, backend: 1, partition: 1, postgres: 2 };
/** Of transfers by callers: what they have and the others have not. */
const KINDS_OF_CALLERS = [
  'transactional start',
  'transactional signal',
  'delivery of them',
  'first commit of a run',
] as const;

let explorer: Explorer;
beforeAll(async () => {
  explorer = await Explorer.start();
}, 60_000);
afterAll(() => explorer.end());

/** Something dies at statements of transfers that are made by activities, or by transactions of callers. */
async function exploreAll(byCaller: boolean, kinds: readonly Kind[]): Promise<void> {
  const explored: Explored = { points: {}, statements: new Map(), kinds: new Map() };
  const explore = async (lane: Lane, victims: Victim[]): Promise<void> => {
    const statements = await lane.reference();
    const places = (every: number): Place[] =>
      byCaller
        ? kinds.flatMap((of) => fromLast(statements.filter((each) => kindsOf(each).has(of)).length, every, of))
        : fromLast(statements.length, every);
    for (const victim of victims) await lane.explore(victim, places(EVERY[victim]), explored);
  };
  const by = byCaller ? 'callers' : 'activities';
  const lanes = await Promise.all(
    ['workers', 'connections', 'partitions', 'server'].map((name) =>
      explorer.lane(`${by}-${name}`, { byCaller, ...(byCaller ? { schema: `of_${name}` } : {}) }),
    ),
  );
  const [workers, connections, partitions, server] = lanes as [Lane, Lane, Lane, Lane];
  await Promise.all([
    explore(workers, ['worker']),
    explore(connections, ['connection', 'backend']),
    explore(partitions, ['partition']),
  ]);
  // Nobody else is at work while the server dies.
  await explorer.amongOtherTransactions(() => explore(server, ['postgres']));
  for (const lane of lanes) await lane.end();

  const { faults, total, transit, bank, entries } = await explorer.audit();
  const reached = Object.values(explored.points).reduce((sum, n) => sum + n, 0);
  console.log(`${by}: ${reached} crash points in ${explored.statements.size} different statements`, explored.points);
  for (const [kind, points] of explored.kinds) console.log(`  ${kind}:`, points);
  console.log(
    `${explorer.transfers.length} transfers, ${entries} entries, sum ${total}, in transit ${transit}, fees ${bank}`,
  );
  expect(faults).toEqual([]);
  if (byCaller) for (const lane of lanes) expect(await lane.signaledOtherwise()).toEqual([]);
  expect(explorer.crashes).toEqual([]);
  expect({ total, transit, bank }).toEqual({ total: 0, transit: 0, bank: explorer.transfers.length });
  expect(Object.keys(explored.points).sort()).toEqual([...VICTIMS].sort());
  for (const kind of kinds) {
    const victims = Object.keys(explored.kinds.get(kind) ?? {}).sort();
    // Of the others it is chance whether they share a batch, or fall between two that are explored.
    if (kind === 'transactional start' || kind === 'transactional signal') expect(victims).toEqual([...VICTIMS].sort());
    else expect([kind, victims]).not.toEqual([kind, []]);
  }
  expect(reached).toBeGreaterThan(byCaller ? 100 : 200);
}

test(
  'each booking of activities is there once, whatever dies at whichever statement or before its answer',
  { timeout: 600_000 },
  () => exploreAll(false, ['transactional activity', 'workflow-task completion', 'timer']),
);

test('so is each booking, start and signal of callers', { timeout: 600_000 }, () => exploreAll(true, KINDS_OF_CALLERS));

test('without the fence it finds bookings that were done twice', { timeout: 120_000 }, async () => {
  const lane = await explorer.lane('unfenced');
  const statements = await lane.reference(true);
  const commits = statements.flatMap(({ text }, i) =>
    text.includes('pg_current_xact_id') && text.includes('commit_batch') ? [i + 1] : [],
  );
  expect(commits).toHaveLength(2);
  expect((await explorer.audit()).faults).toEqual([]);
  const restore = await MUTATIONS.withoutFence(explorer.db, 'branchline');
  // A run that two have written to may not come to its end.
  for (const at of commits) await lane.point('partition', { at }, 'before', 4000).catch(() => undefined);
  await restore();
  const { faults } = await explorer.audit();
  expect(faults).toContainEqual(expect.stringMatching(/unfenced-partition.*(withdraw|deposit): 2 too many/));
});

/** Whether the close of the run or the payment comes first is not told by the point alone. */
const TRIES = 5;

test.each([
  ['withoutLook', 'booked'],
  ['withoutLock', 'closed'],
] as const)('%s at the inbox it finds that a payment was lost', { timeout: 120_000 }, async (mutation, thawsAt) => {
  const schema = mutation.toLowerCase();
  const lane = await explorer.lane(mutation, { byCaller: true, schema });
  const commit = lastOf(await lane.reference(true), 'transactional signal');
  const restore = await MUTATIONS[mutation](explorer.db, schema);
  const lost = async (): Promise<string[]> =>
    (await explorer.audit()).faults.filter(
      (fault) => fault.startsWith(mutation) && fault.endsWith('deposit: 2 missing'),
    );
  for (let tries = 0; tries < TRIES && (await lost()).length === 0; tries++) {
    // Others close the run while the caller's COMMIT is on its way.
    await lane.point('partition', commit, 'before', 4000, thawsAt).catch(() => undefined);
  }
  await restore();
  await lane.end();
  expect(await lost()).not.toEqual([]);
});

test(
  'with starts and signals beside the transactions it finds what was done without them',
  { timeout: 120_000 },
  async () => {
    const lane = await explorer.lane('beside', { byCaller: true, beside: true, schema: 'beside' });
    const at = lastOf(await lane.reference(), 'transactional start');
    await lane.point('backend', at, 'before', 4000).catch(() => undefined);
    const { faults } = await explorer.audit();
    expect(faults).toContainEqual(expect.stringMatching(/beside-backend.*withdraw: 2 missing/));
  },
);

/** A transaction's last statement: its COMMIT. */
const lastOf = (statements: Passed[], of: Kind): Place =>
  fromLast(statements.filter((statement) => kindsOf(statement).has(of)).length, 1, of)[0]!;

/** The last of so many statements, and each so many-th before it. */
const fromLast = (count: number, every: number, of?: Kind): Place[] =>
  Array.from({ length: Math.ceil(count / every) }, (_, i) => ({ at: count - i * every, of }));
