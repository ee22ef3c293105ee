/** Every scenario on a real Temporal server and on Branchline: nothing may differ that compatibility.json does not list. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { branchlineEngine } from './harness/branchline-engine';
import { compare, type Difference } from './harness/compare';
import { SHARED_QUEUE, type Engine, type RunningWorker } from './harness/engines';
import { listedDifferences, listedFor } from './harness/listed';
import { observe } from './harness/scenario';
import { prepareNamespace } from './harness/search-attributes';
import { temporalEngine } from './harness/temporal-engine';
import { sentences, withoutScenario } from './sentences';
import { scenarios } from './topics';

const listed = listedDifferences();
interface Outcome {
  outcome: 'equal' | 'listed' | 'failing';
  /** Ids of listed differences. */
  differences: string[];
  /** What is wrong, for whoever mends it. */
  unlisted?: Difference[];
  error?: string;
}
const outcomes = new Map<string, Outcome>();
const occurred = new Set<string>();
const engines: Engine[] = [];
const workers: RunningWorker[] = [];

const address = inject('temporalAddress');

beforeAll(async () => {
  if (address === '') return;
  const workflowsPath = join(__dirname, 'workflows/index.ts');
  engines.push(await temporalEngine(address, workflowsPath));
  engines.push(await branchlineEngine(inject('postgresUrl'), workflowsPath));
  for (const engine of engines) {
    await prepareNamespace(engine);
    workers.push(await engine.worker({ taskQueue: SHARED_QUEUE }));
  }
}, 120_000);

afterAll(async () => {
  if (address === '') return;
  await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(engines.map((engine) => engine.close()));
  const results = scenarios
    .filter(({ name }) => outcomes.has(name))
    .map(({ name, covers }) => ({ name, covers, ...outcomes.get(name) }));
  const out = join(__dirname, '../out');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'scenarios.json'), `${JSON.stringify(results, null, 1)}\n`);
}, 60_000);

describe.skipIf(address === '').concurrent('on Temporal and on Branchline alike:', () => {
  it.for(scenarios)('$name', { timeout: 100_000 }, async (scenario, { expect }) => {
    const failing = (more: Partial<Outcome>): void =>
      void outcomes.set(scenario.name, { outcome: 'failing', differences: [], ...more });
    const [temporal, branchline] = await Promise.all(engines.map((engine) => observe(scenario, engine))).catch(
      (error: unknown) => {
        failing({ error: String(error) });
        throw error;
      },
    );
    const unlisted: Difference[] = [];
    const ids = new Set<string>();
    for (const difference of compare(temporal!, branchline!)) {
      const known = listedFor(listed, scenario.name, difference);
      if (known === undefined) unlisted.push(difference);
      else ids.add(known.id);
    }
    ids.forEach((id) => occurred.add(id));
    failing({ differences: [...ids], unlisted });
    expect(unlisted, 'differences that compatibility.json does not list').toEqual([]);
    outcomes.set(scenario.name, { outcome: ids.size > 0 ? 'listed' : 'equal', differences: [...ids] });
  });
});

describe('the list of scenarios', () => {
  it('has no name twice', () => {
    const names = scenarios.map(({ name }) => name.toLowerCase());
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('shows every sentence, but for those that say why not', () => {
    const shown = new Set<string>(scenarios.flatMap(({ covers }) => covers));
    expect(
      Object.keys(sentences)
        .filter((id) => !shown.has(id))
        .sort(),
    ).toEqual(Object.keys(withoutScenario).sort());
    expect([...shown].filter((id) => !(id in sentences))).toEqual([]);
  });
});

describe('compatibility.json', () => {
  it('lists no difference that no longer occurs', ({ skip }) => {
    skip(outcomes.size < scenarios.length, 'only a part of the scenarios ran');
    expect(listed.map(({ id }) => id).filter((id) => !occurred.has(id))).toEqual([]);
  });
});
