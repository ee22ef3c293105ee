/** The Grafana board asks for metrics that exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { postgresCatalogue } from '../../shim/metrics/postgres';
import { requestCatalogue, workerCatalogue } from '../../shim/worker/metrics/catalogue';

const board = readFileSync(join(__dirname, '../../docs/grafana/branchline.json'), 'utf8');
const exported = new Map<string, string>();
const add = (prefix: string, catalogue: Record<string, { kind: string }>): void => {
  for (const [name, { kind }] of Object.entries(catalogue)) exported.set(prefix + name, kind);
};
add('temporal_', workerCatalogue);
add('temporal_', requestCatalogue);
add('branchline_', postgresCatalogue);

const asked = [...new Set([...board.matchAll(/\b(?:temporal|branchline)_\w+/g)].map(([name]) => name))];

it.each(asked)('%s is exported', (name) => {
  const histogram = /^(.*)_(?:bucket|sum|count)$/.exec(name);
  const kind = exported.get(name);
  if (kind === undefined) expect(exported.get(histogram?.[1] ?? ''), name).toBe('histogram');
  // A histogram has no value of its own.
  else expect(kind).not.toBe('histogram');
});

it('shows each of our own metrics', () => {
  const shown = asked.map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
  const ours = [...exported.keys()].filter((name) => name.startsWith('branchline_'));
  expect(ours.filter((name) => !shown.includes(name))).toEqual([]);
});
