/** Several people and programs change the routes at once. */
import { expect, it } from 'vitest';
import { Connection } from '../../shim/client';
import { StoredRoutes, withRule } from '../../shim/router';
import { afterTest, freshSchema } from '../support/database';

const EDITORS = 4;
const EDITS = 8;

async function editors(): Promise<StoredRoutes[]> {
  const database = freshSchema();
  const connections = [];
  for (let i = 0; i < EDITORS; i++) {
    // Each a store of its own: connections with the same URL share one.
    const connection = await Connection.connect({
      ...database,
      url: `${database.url}&fallback_application_name=editor-${i}`,
      maxConnections: 3,
    });
    afterTest(() => connection.close());
    connections.push(connection);
  }
  return Promise.all(connections.map((connection) => StoredRoutes.open(connection)));
}

const add = (routes: StoredRoutes, name: string, by: string, expectedVersion?: number) =>
  routes.change((current) => withRule(current, { name, workflowType: name, engine: 'postgres' }), {
    by,
    reason: `add ${name}`,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  });

it('Of edits made from one version at once, one is taken and the others are told', async () => {
  const all = await editors();
  for (let version = 0; version < 5; version++) {
    const outcomes = await Promise.allSettled(all.map((routes, i) => add(routes, `v${version}-${i}`, `${i}`, version)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'BRANCHLINE_ROUTES_CHANGED' });
    }
    expect((await all[0]!.current()).version).toBe(version + 1);
  }
});

it('No edit that was taken is lost, and the history has each once, whoever edits at the same time', async () => {
  const all = await editors();
  const taken: string[] = [];
  await Promise.all(
    all.map(async (routes, editor) => {
      for (let edit = 0; edit < EDITS;) {
        const name = `e${editor}-${edit}`;
        try {
          await add(routes, name, `${editor}`);
          taken.push(name);
          edit++;
        } catch (error) {
          expect(error).toMatchObject({ code: 'BRANCHLINE_ROUTES_CHANGED' });
        }
      }
    }),
  );
  const { routes, version } = await all[0]!.current();
  expect(routes.rules.map(({ name }) => name).sort()).toEqual([...taken].sort());
  expect(version).toBe(EDITORS * EDITS);
  const history = await all[1]!.history();
  expect(history.map((one) => one.version)).toEqual(Array.from({ length: version }, (_, i) => version - i));
  // Each version has the rules of the one before it and one more.
  for (const [i, one] of history.entries()) {
    expect(one.routes.rules).toHaveLength(one.version);
    expect(one.routes.rules.slice(0, -1)).toEqual(history[i + 1]?.routes.rules ?? []);
  }
});
