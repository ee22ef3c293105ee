/** `npm run demo:ledger`: 1,000 transfers while workers, connections and Postgres die at random; ends with 0 if, and only if, the book balances. */
import { Explorer, type Lane } from './explorer';

const TRANSFERS = Number(process.env.LEDGER_TRANSFERS ?? 1000);
/** A kill comes after each so many statements, by chance up to twice as many. */
const STATEMENTS_BETWEEN_KILLS = 1500;
const VICTIMS = ['worker', 'worker', 'connection', 'backend', 'postgres'] as const;

async function main(): Promise<boolean> {
  const explorer = await Explorer.start();
  try {
    // Half of them book everything in transactional activities; of the others the application books in the transactions that start and signal.
    const lanes = await Promise.all([explorer.lane('bank-1'), explorer.lane('bank-2', { byCaller: true })]);
    console.log(`${TRANSFERS} transfers between ten accounts, two workers`);
    const kills: Record<string, number> = {};
    const started = performance.now();
    await Promise.all(
      lanes.map((lane: Lane) =>
        lane.storm(TRANSFERS / lanes.length, () => ({
          victim: VICTIMS[Math.floor(Math.random() * VICTIMS.length)]!,
          at: 1 + Math.floor(Math.random() * 2 * STATEMENTS_BETWEEN_KILLS),
          moment: Math.random() < 0.5 ? 'before' : 'after',
          done: (victim) => (kills[victim] = (kills[victim] ?? 0) + 1),
        })),
      ),
    );
    const seconds = (performance.now() - started) / 1000;
    const { entries, total, transit, bank, faults } = await explorer.audit();
    console.log(
      `killed: ${Object.entries(kills)
        .map(([victim, n]) => `${n} × ${victim}`)
        .join(', ')}; ${seconds.toFixed(0)} s`,
    );
    console.log(`completed  ${explorer.transfers.length} transfers`);
    console.log(`entries    ${entries} (expected ${6 * explorer.transfers.length})`);
    console.log(`sum        ${total} cents (expected 0)`);
    console.log(`in transit ${transit} cents (expected 0)`);
    console.log(`fees       ${bank} cents (expected ${explorer.transfers.length})`);
    const signals = await lanes[1].signaledOtherwise();
    console.log(`signals    ${TRANSFERS / lanes.length - signals.length} once (expected ${TRANSFERS / lanes.length})`);
    for (const crash of explorer.crashes) console.log(`WRONG: a process ended by itself (${crash})`);
    for (const fault of [...faults, ...signals].slice(0, 20)) console.log(`WRONG: ${fault}`);
    console.log(faults.length === 0 ? 'The book balances.' : `The book does not balance: ${faults.length} faults.`);
    return faults.length + signals.length + explorer.crashes.length === 0 && Object.keys(kills).length > 0;
  } finally {
    await explorer.end();
  }
}

// Until it is known that the book balances.
process.exitCode = 1;
main().then(
  (balances) => process.exit(balances ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
