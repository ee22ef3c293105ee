/** A ledger balances wherever workers, connections and Postgres die; and it does not once the fence is gone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Explorer, VICTIMS, type Explored, type Lane, type Victim } from './explorer';
import { withoutFence } from './without-fence';

/** Every how many-th statement is explored, by victim: what kills whole processes takes a second and more. */
const EVERY: Record<Victim, number> = { worker: 1, connection: 1, backend: 1, partition: 1, postgres: 2 };

let explorer: Explorer;
beforeAll(async () => {
  explorer = await Explorer.start();
}, 60_000);
afterAll(() => explorer.end());

test(
  'each booking is there once, whatever dies at whichever statement or before its answer',
  { timeout: 600_000 },
  async () => {
    const explored: Explored = { points: {}, statements: new Map() };
    const explore = async (lane: Lane, victims: Victim[]): Promise<void> => {
      const statements = await lane.reference();
      for (const victim of victims) await lane.explore(victim, numbers(statements.length, EVERY[victim]), explored);
    };
    const lanes = await Promise.all(
      ['workers', 'connections', 'partitions', 'server'].map((name) => explorer.lane(name)),
    );
    const [workers, connections, partitions, server] = lanes as [Lane, Lane, Lane, Lane];
    await Promise.all([
      explore(workers, ['worker']),
      explore(connections, ['connection', 'backend']),
      explore(partitions, ['partition']),
    ]);
    // Nobody else is at work while the server dies.
    await explorer.amongOtherTransactions(() => explore(server, ['postgres']));

    const { faults, total, transit, bank, entries } = await explorer.audit();
    const reached = Object.values(explored.points).reduce((sum, n) => sum + n, 0);
    console.log(`${reached} crash points in ${explored.statements.size} different statements`, explored.points);
    console.log(
      `${explorer.transfers.length} transfers, ${entries} entries, sum ${total}, in transit ${transit}, fees ${bank}`,
    );
    expect(faults).toEqual([]);
    expect(explorer.crashes).toEqual([]);
    expect({ total, transit, bank }).toEqual({ total: 0, transit: 0, bank: explorer.transfers.length });
    expect(Object.keys(explored.points).sort()).toEqual([...VICTIMS].sort());
    expect(reached).toBeGreaterThan(200);
  },
);

test('without the fence it finds bookings that were done twice', { timeout: 120_000 }, async () => {
  const lane = await explorer.lane('unfenced');
  const statements = await lane.reference(true);
  const commits = statements.flatMap((text, i) =>
    text.includes('pg_current_xact_id') && text.includes('commit_batch') ? [i + 1] : [],
  );
  expect(commits).toHaveLength(2);
  expect((await explorer.audit()).faults).toEqual([]);
  const restore = await withoutFence(explorer.db);
  // A run that two have written to may not come to its end.
  for (const at of commits) await lane.point('partition', at, 'before', 4000).catch(() => undefined);
  await restore();
  const { faults } = await explorer.audit();
  expect(faults).toContainEqual(expect.stringMatching(/unfenced-partition.*(withdraw|deposit): 2 too many/));
});

const numbers = (count: number, every: number): number[] =>
  Array.from({ length: Math.ceil(count / every) }, (_, i) => 1 + i * every);
