/** After a change of routes: warns of engines without a worker, or without the namespace, for what now goes there. Said, not refused: workers may come later. */
import type { Connection } from '../client/connection';
import type { Routes, Rule } from '../router';

export interface ProspectFlags {
  temporal?: string;
  temporalNamespace?: string;
  /** For rules that name none. */
  namespace?: string;
}

const CONNECT_MS = 5000;
const warn = (sentence: string): void => void process.stderr.write(`Warning: ${sentence}\n`);

export async function warnOfProspects(
  before: Routes,
  after: Routes,
  postgres: Connection,
  /** This one is looked at though it was so before. */
  ruleName: string | undefined,
  { temporal: address, temporalNamespace, namespace }: ProspectFlags,
): Promise<void> {
  const rules = changedRules(before, after, ruleName);
  if (rules.length === 0) return;
  const { prospectsOf } = await import('../router/index.js');
  const temporal = address === undefined ? undefined : await reachTemporal(address);
  if (address !== undefined && temporal === undefined) warn(`no Temporal server answers at ${address}.`);
  try {
    for (const rule of rules) {
      // The server that is given stands for the rule's engine, whatever its name.
      const name = rule.engine === 'postgres' ? 'temporal' : rule.engine;
      const there = temporal && {
        connection: temporal,
        ...(temporalNamespace === undefined ? {} : { namespace: temporalNamespace }),
      };
      const engines = { postgres: { connection: postgres }, ...(there === undefined ? {} : { [name]: there }) };
      for (const sentence of await prospectsOf(rule, engines, namespace)) warn(sentence);
      if (there === undefined && address === undefined && rule.engine !== 'postgres') {
        warn(`give --temporal <address> to have '${rule.engine}' asked.`);
      }
    }
  } finally {
    await temporal?.close();
  }
}

/** Rules that were not there like this; the default engine as one that takes everything. */
function changedRules(before: Routes, after: Routes, ruleName: string | undefined): Rule[] {
  const known = new Set(before.rules.map((rule) => JSON.stringify(rule)));
  const rules = after.rules.filter((rule) => rule.name === ruleName || !known.has(JSON.stringify(rule)));
  const moved = before.default === after.default ? [] : [{ name: 'default', engine: after.default }];
  return [...rules, ...moved, ...guardedRules(rules, before, after)];
}

/** What the load guard may send elsewhere from now on. */
function guardedRules(changed: Rule[], before: Routes, { guard, rules }: Routes): Rule[] {
  if (guard === undefined || guard.mode === 'off') return [];
  const same = before.guard?.to === guard.to && before.guard.mode !== 'off';
  return (same ? changed : rules)
    .filter(({ movable, engine }) => movable === true && engine === guard.from)
    .map((rule) => ({ ...rule, engine: guard.to }));
}

async function reachTemporal(address: string) {
  const { Connection } = await import('@temporalio/client');
  return Connection.connect({ address, connectTimeout: CONNECT_MS }).catch(() => undefined);
}
