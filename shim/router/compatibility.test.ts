/** compatibility.json says what the router refuses. */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Code } from './errors';
import { Router, type RouterSetting } from './router';
import { ways } from './ways';

const root = path.resolve(__dirname, '../..');
const list = JSON.parse(readFileSync(path.join(root, 'compatibility.json'), 'utf8')) as {
  rpcs: Record<string, Record<string, unknown>>;
  router: {
    refusals: Record<string, { status: 'refused'; code: string; sentence: string }>;
    ofWorkers: string[];
    notRouted: string[];
  };
};
const { refusals } = list.router;

/** The sources of the router and of its commands. */
const sources = ['shim/router', 'shim/cli'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(path.join(root, folder, file), 'utf8')),
);
const codesIn = (text: string): string[] =>
  text.match(/(?<=')BRANCHLINE_(?:ROUTER|ROUTES|SCHEDULE)_[A-Z_]+(?=')/g) ?? [];

describe('compatibility.json on the router', () => {
  it('names every code, and none that there is not', () => {
    expect(Object.keys(refusals).sort()).toEqual([...new Set(sources.flatMap(codesIn))].sort());
    for (const { sentence } of Object.values(refusals)) expect(sentence).toMatch(/\.$/);
  });

  it.each(Object.entries(refusals))('%s: says how it is told', (code, entry) => {
    const told = new Set<string>();
    for (const text of sources) {
      const constant = new RegExp(`(?:Code\\.(\\w+),|(new BranchlineError)\\(|(super)\\(|({ code:))\\s*'${code}'`, 'g');
      for (const [, status, error, inherited, logged] of text.matchAll(constant)) {
        told.add(status ?? ((error ?? inherited) ? 'BranchlineError' : logged ? 'warning' : ''));
      }
    }
    // What is refused may be warned of as well.
    if (entry.code !== 'warning') told.delete('warning');
    expect([...told]).toEqual([entry.code]);
  });

  it('says of every RPC that is not routed how it is refused', async () => {
    const router = new Router({} as RouterSetting);
    const refused: Record<string, string[]> = { BRANCHLINE_ROUTER_WORKER: [], BRANCHLINE_ROUTER_NOT_ROUTED: [] };
    for (const name of Object.values(list.rpcs).flatMap((service) => Object.keys(service))) {
      const method = name.charAt(0).toLowerCase() + name.slice(1);
      if (method in ways) continue;
      const error = (await router.call(method, {}).catch((error: unknown) => error)) as { code: Code; details: string };
      const code = /^(BRANCHLINE_\w+): /.exec(error.details)?.[1] ?? error.details;
      expect(Code[error.code]).toBe(refusals[code]?.code);
      refused[code]?.push(name);
    }
    expect(refused.BRANCHLINE_ROUTER_WORKER!.sort()).toEqual(list.router.ofWorkers);
    expect(refused.BRANCHLINE_ROUTER_NOT_ROUTED!.sort()).toEqual(list.router.notRouted);
  });
});
