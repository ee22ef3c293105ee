/** Every scenario on a real Temporal server and on Branchline: nothing may differ that compatibility.json does not list. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { branchlineEngine } from './harness/branchline-engine';
import { compare, type Difference, type Observed } from './harness/compare';
import { SHARED_QUEUE, type Engine, type RunningWorker } from './harness/engines';
import { listedDifferences, listedFor } from './harness/listed';
import { observe, type Scenario } from './harness/scenario';
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
  /** It failed once and was run a second time. */
  again?: boolean;
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
  it.for(scenarios)('$name', { timeout: 160_000 }, async (scenario, { expect }) => {
    let outcome = await judge(scenario, 1);
    // A busy machine makes a timer late and a poll slow. What is really different is so again.
    if (outcome.outcome === 'failing') outcome = { ...(await judge(scenario, 2)), again: true };
    outcomes.set(scenario.name, outcome);
    outcome.differences.forEach((id) => occurred.add(id));
    expect(outcome.error).toBeUndefined();
    expect(outcome.unlisted, 'differences that compatibility.json does not list').toBeUndefined();
  });
});

async function judge(scenario: Scenario, attempt: number): Promise<Outcome> {
  let observed: Observed[];
  try {
    observed = await Promise.all(engines.map((engine) => observe(scenario, engine, attempt)));
  } catch (error) {
    return { outcome: 'failing', differences: [], error: String(error) };
  }
  const unlisted: Difference[] = [];
  const ids = new Set<string>();
  for (const difference of compare(observed[0]!, observed[1]!)) {
    const known = listedFor(listed, scenario.name, difference);
    if (known === undefined) unlisted.push(difference);
    else ids.add(known.id);
  }
  const differences = [...ids];
  if (unlisted.length > 0) return { outcome: 'failing', differences, unlisted };
  return { outcome: differences.length > 0 ? 'listed' : 'equal', differences };
}

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
    const ofScenarios = listed.filter(({ where = [], sometimes }) => where.length > 0 && sometimes !== true);
    expect(ofScenarios.map(({ id }) => id).filter((id) => !occurred.has(id))).toEqual([]);
  });
});
