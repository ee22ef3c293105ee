import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, explain, shareOf } from './decide';
import { withRule, withoutRule } from './edit';
import { type StartFacts, startFacts } from './facts';
import { type RoutesInput, RoutesError, parseRoutes } from './schema';

const facts = (some: Partial<StartFacts> = {}): StartFacts => ({
  namespace: 'default',
  workflowId: 'w-1',
  workflowType: 'signup',
  taskQueue: 'q',
  ...some,
});
const now = Date.parse('2026-11-25T12:00:00Z');
const json = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});

describe('parsing routes', () => {
  const issuesOf = (input: unknown): string[] => {
    try {
      parseRoutes(input);
    } catch (error) {
      expect(error).toBeInstanceOf(RoutesError);
      return (error as RoutesError).issues;
    }
    return [];
  };

  it('fills the defaults', () => {
    expect(parseRoutes({})).toEqual({ engines: ['temporal', 'postgres'], default: 'temporal', rules: [] });
  });

  it.each([
    [{ rules: [{ name: 'a', engine: 'postgres', percentage: 101 }] }, /^rules\[0\]\.percentage: /],
    [{ rules: [{ name: 'a', engine: 'mars' }] }, /^rules\[0\]\.engine: no engine 'mars'/],
    [{ rules: [{ name: 'a', engine: 'postgres', workflowTypes: 'x' }] }, /^rules\[0\]: .*workflowTypes/],
    [
      { rules: [{ name: 'a', engine: 'postgres', workflowType: { pattern: '(' } }] },
      /^rules\[0\]\.workflowType\.pattern: /,
    ],
    [{ rules: [{ name: 'a', engine: 'postgres', workflowType: 3 }] }, /^rules\[0\]\.workflowType: /],
    [{ rules: [{ name: 'a', engine: 'postgres', workflowType: [''] }] }, /^rules\[0\]\.workflowType\[0\]: /],
    [{ rules: [{ name: 'a', engine: 'postgres', from: 'tomorrow' }] }, /^rules\[0\]\.from: write a time/],
    [{ rules: [{ name: 'a', engine: 'postgres', tenant: 't' }] }, /^rules\[0\]\.tenant: say in `tenant`/],
    [{ default: 'mars' }, /^default: no engine/],
    [{ tenant: { idPattern: 'abc' } }, /^tenant\.idPattern: it needs a group/],
    [{ engines: ['postgres', 'postgres'], default: 'postgres' }, /^engines: an engine is named twice/],
    ['signup', /^routes: /],
  ])('refuses %j and names the path', (input, words) => {
    expect(issuesOf(input)).toContainEqual(expect.stringMatching(words));
  });

  it('refuses two rules of one name, and a window that ends before it begins', () => {
    const rule = { name: 'a', engine: 'postgres', from: '2026-11-25T00:00:00Z', until: '2026-11-24T00:00:00Z' };
    expect(issuesOf({ rules: [rule] })).toEqual(['rules[0].until: it is not after `from`']);
    const twice = { name: 'a', engine: 'postgres' };
    expect(issuesOf({ rules: [twice, twice] })).toEqual(["rules[1].name: a rule 'a' stands above"]);
  });

  it('reads its own output as the same routes', () => {
    const routes = parseRoutes({ tenant: { memo: 't' }, rules: [{ name: 'a', engine: 'postgres', tenant: ['x'] }] });
    expect(parseRoutes(JSON.parse(JSON.stringify(routes)))).toEqual(routes);
  });
});

describe('deciding', () => {
  const by = (rule: object, start: StartFacts = facts(), tenant?: object): string =>
    decide(parseRoutes({ tenant, rules: [{ name: 'r', engine: 'postgres', ...rule }] }), start, now).engine;

  it.each([
    [{ workflowType: 'signup' }, 'postgres'],
    [{ workflowType: ['billing', 'signup'] }, 'postgres'],
    [{ workflowType: { pattern: 'sign.*' } }, 'postgres'],
    [{ workflowType: { pattern: 'sign' } }, 'temporal'],
    [{ workflowType: 'billing' }, 'temporal'],
    [{ taskQueue: 'q', namespace: 'default', workflowId: { pattern: 'w-\\d' } }, 'postgres'],
    [{ taskQueue: 'other' }, 'temporal'],
    [{ namespace: 'other' }, 'temporal'],
    [{ from: '2026-11-25T12:00:00Z', until: '2026-11-25T12:00:01Z' }, 'postgres'],
    [{ from: '2026-11-25T14:00:00+01:00' }, 'temporal'],
    [{ until: '2026-11-25T12:00:00Z' }, 'temporal'],
    [{ percentage: 0 }, 'temporal'],
    [{ percentage: 100 }, 'postgres'],
  ])('%j: %s', (rule, engine) => {
    expect(by(rule)).toBe(engine);
  });

  it('takes the first rule that matches, and says what kept the ones above it', () => {
    const routes = parseRoutes({
      engines: ['temporal', 'postgres', 'eu'],
      rules: [
        { name: 'billing', engine: 'postgres', workflowType: 'billing' },
        { name: 'all', engine: 'eu' },
        { name: 'never', engine: 'postgres' },
      ],
    });
    const { decision, rules } = explain(routes, facts(), now);
    expect(decision).toEqual({ engine: 'eu', rule: 'all' });
    expect(rules).toEqual([
      { rule: 'billing', engine: 'postgres', refusal: 'the workflow type is "signup", not "billing"' },
      { rule: 'all', engine: 'eu' },
    ]);
  });

  it('keeps whom it had when a percentage rises, and comes near to it', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (id, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const start = facts({ workflowId: id });
        if (by({ percentage: low }, start) === 'postgres') expect(by({ percentage: high }, start)).toBe('postgres');
      }),
    );
    const taken = Array.from({ length: 20_000 }, (_, i) => shareOf(`id-${i}`)).filter((share) => share < 10).length;
    expect(taken / 20_000).toBeGreaterThan(0.09);
    expect(taken / 20_000).toBeLessThan(0.11);
  });

  it('places an id where every version places it', () => {
    expect(['a', 'order-1', 'é'].map(shareOf)).toEqual([66.1, 60.65, 28.78]);
  });

  it('explains exactly what it decides', () => {
    const texts = fc.constantFrom('a', 'b', 'c');
    const rule = fc.record(
      {
        engine: fc.constantFrom('temporal', 'postgres'),
        workflowType: fc.oneof(texts, fc.uniqueArray(texts, { minLength: 1 })),
        taskQueue: texts,
        tenant: texts,
        percentage: fc.integer({ min: 0, max: 100 }),
      },
      { requiredKeys: ['engine'] },
    );
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 6 }),
        texts,
        texts,
        fc.option(texts),
        fc.string(),
        (some, type, queue, tenant, id) => {
          const routes = parseRoutes({
            tenant: 'function',
            rules: some.map((rule, i) => ({ name: `r${i}`, ...rule })),
          });
          const start = facts({ workflowType: type, taskQueue: queue, workflowId: id, ...(tenant ? { tenant } : {}) });
          const { decision, rules } = explain(routes, start, now);
          expect(decide(routes, start, now)).toEqual(decision);
          const taking = rules.filter(({ refusal }) => refusal === undefined);
          expect(taking.map(({ rule }) => rule)).toEqual(decision.rule === undefined ? [] : [decision.rule]);
          expect(rules.at(-1)?.rule ?? undefined).toBe(decision.rule ?? routes.rules.at(-1)?.name);
        },
      ),
    );
  });
});

describe('the tenant of a start', () => {
  const request = {
    workflowId: 'acme/order-7',
    searchAttributes: { indexedFields: { Tenant: json(['globex']) } },
    memo: { fields: { tenant: json('initech'), secret: { metadata: { encoding: Buffer.from('binary/encrypted') } } } },
    header: { fields: { tenant: json(7) } },
  };
  it.each([
    [{ searchAttribute: 'Tenant' }, 'globex'],
    [{ memo: 'tenant' }, 'initech'],
    [{ header: 'tenant' }, '7'],
    [{ idPattern: '^([^/]+)/' }, 'acme'],
    [{ idPattern: '^(x)/' }, undefined],
    [{ memo: 'nothing' }, undefined],
  ])('is found by %j', (source, tenant) => {
    expect(startFacts(request, source).tenant).toBe(tenant);
  });

  it('is found by a function', () => {
    expect(startFacts(request, 'function', ({ workflowId }) => workflowId.slice(0, 2)).tenant).toBe('ac');
  });

  it('is not guessed when a codec hides it, and the explanation says so', () => {
    const start = startFacts(request, { memo: 'secret' });
    const routes = parseRoutes({ tenant: { memo: 'secret' }, rules: [{ name: 'r', engine: 'postgres', tenant: 'x' }] });
    expect(explain(routes, start, now).rules[0]?.refusal).toBe(
      'memo secret is not a JSON text (encoding binary/encrypted)',
    );
  });
});

describe('editing routes', () => {
  const rule = (name: string, more: object = {}) => ({ name, engine: 'postgres', ...more });
  const routes = parseRoutes({ rules: [rule('a'), rule('b'), rule('c')] });
  const names = (edited: RoutesInput | undefined): string[] => (edited?.rules ?? []).map(({ name }) => name);

  it('keeps the place of a rule that is there, whatever it is put before', () => {
    expect(names(withRule(routes, rule('b')))).toEqual(['a', 'b', 'c']);
    expect(names(withRule(routes, rule('a'), 'a'))).toEqual(['a', 'b', 'c']);
    expect(names(withRule(routes, rule('c'), 'a'))).toEqual(['c', 'a', 'b']);
    expect(names(withRule(routes, rule('d'), 'b'))).toEqual(['a', 'd', 'b', 'c']);
    expect(names(withRule(routes, rule('d')))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes rules away by name', () => {
    expect(names(withoutRule(routes, 'b'))).toEqual(['a', 'c']);
    expect(withoutRule(routes, 'x')).toBeUndefined();
  });

  it('puts no engine into the routes that they do not name', () => {
    expect(() => parseRoutes(withRule(routes, rule('d', { engine: 'postgress' })))).toThrow(
      "rules[3].engine: no engine 'postgress'",
    );
  });
});
