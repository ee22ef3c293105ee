/** The router's tables in Postgres. See routing-types.ts for the contract of each call. */
import type { Connections } from './connections';
import { Gathering } from './gathering';
import type { AbandonedStart, RouteVersion, RoutedId, RoutedKey, RoutedStart, RoutingStore } from './routing-types';
import { routing } from './sql/routing';
import { prepareStatements } from './statement';
import type { Notice } from './types';

interface VersionRecord {
  version: number;
  routes: unknown;
  changed_ms: number;
  changed_by: string;
  reason: string;
  restores: number | null;
}
interface IdRecord extends RoutedKey, RoutedId {}

const AT_ONCE = 200;

export class PostgresRouting implements RoutingStore {
  private readonly sql: ReturnType<typeof statements>;
  private readonly finds: Gathering<RoutedKey, RoutedId | null>;
  private readonly begins: Gathering<{ key: RoutedKey; engine: string; token: string }, RoutedStart>;
  private readonly ends: Gathering<{ key: RoutedKey; tokens: string[]; settled: boolean }, void>;

  constructor(
    private readonly connections: Connections,
    schema: string,
    prepared: boolean,
    private readonly tell: (notice: Notice) => void,
  ) {
    this.sql = statements(schema, prepared);
    this.finds = new Gathering((keys) => this.findAll(keys), AT_ONCE);
    this.begins = new Gathering((starts) => this.beginAll(starts), AT_ONCE);
    this.ends = new Gathering((ends) => this.endAll(ends), AT_ONCE);
  }

  async routes(): Promise<RouteVersion | null> {
    const [row] = await this.connections.query<VersionRecord>(this.sql.routes, []);
    return row === undefined ? null : routeVersion(row);
  }

  async routeVersions(limit: number): Promise<RouteVersion[]> {
    return (await this.connections.query<VersionRecord>(this.sql.routeVersions, [limit])).map(routeVersion);
  }

  async routeVersion(version: number): Promise<RouteVersion | null> {
    const [row] = await this.connections.query<VersionRecord>(this.sql.routeVersion, [version]);
    return row === undefined ? null : routeVersion(row);
  }

  async addRoutes(
    expected: number,
    { routes, changedBy, reason, restores }: Pick<RouteVersion, 'routes' | 'changedBy' | 'reason' | 'restores'>,
  ): Promise<RouteVersion | null> {
    const values = [expected, JSON.stringify(routes), changedBy, reason, restores];
    // Once: a repetition would find its own row and take it for somebody else's.
    const [row] = await this.connections.queryOnce<VersionRecord>(this.sql.addRoutes, values);
    if (row === undefined) return null;
    this.tell({ kind: 'routes' });
    return routeVersion(row);
  }

  find(key: RoutedKey): Promise<RoutedId | null> {
    return this.finds.call(key);
  }

  beginStart(key: RoutedKey, engine: string, token: string): Promise<RoutedStart> {
    return this.begins.call({ key, engine, token });
  }

  endStart(key: RoutedKey, tokens: string[], settled: boolean): Promise<void> {
    return this.ends.call({ key, tokens, settled });
  }

  async moveId(key: RoutedKey, from: { version: number; token: string }, engine: string): Promise<boolean> {
    const values = [key.namespace, key.kind, key.id, from.version, from.token, engine];
    // Once: if the answer is lost the caller begins anew, and sees.
    const rows = await this.connections.queryOnce(this.sql.move, values);
    if (rows.length === 0) return false;
    this.tell({ kind: 'routedId', key: keyText(key) });
    return true;
  }

  async adoptId(key: RoutedKey, engine: string): Promise<string | null> {
    const values = [key.namespace, key.kind, key.id, engine];
    const [row] = await this.connections.query<{ engine: string }>(this.sql.adopt, values);
    this.tell({ kind: 'routedId', key: keyText(key) });
    return row?.engine ?? null;
  }

  async forgetId(key: RoutedKey, version: number): Promise<void> {
    await this.connections.query(this.sql.forget, [key.namespace, key.kind, key.id, version]);
    this.tell({ kind: 'routedId', key: keyText(key) });
  }

  async abandonedStarts(graceMs: number, own: string, limit: number): Promise<AbandonedStart[]> {
    const values = [graceMs, limit, own];
    const rows = await this.connections.query<IdRecord & { tokens: string[] }>(this.sql.abandoned, values);
    return rows.map((row) => ({ key: keyOf(row), ...routedId(row), tokens: row.tokens }));
  }

  async agedIds(ageMs: number, limit: number): Promise<(RoutedId & { key: RoutedKey })[]> {
    const rows = await this.connections.query<IdRecord>(this.sql.aged, [ageMs, limit]);
    return rows.map((row) => ({ key: keyOf(row), ...routedId(row) }));
  }

  async startsUnderWay(engine: string): Promise<number> {
    return (await this.connections.query<{ count: number }>(this.sql.underWay, [engine]))[0]?.count ?? 0;
  }

  private async findAll(keys: RoutedKey[]): Promise<(RoutedId | null)[]> {
    const asked = [...new Map(keys.map((key) => [keyText(key), key])).values()];
    const rows = await this.connections.query<IdRecord>(this.sql.find, [JSON.stringify(asked)]);
    const found = new Map(rows.map((row) => [keyText(row), routedId(row)]));
    return keys.map((key) => found.get(keyText(key)) ?? null);
  }

  private async beginAll(starts: { key: RoutedKey; engine: string; token: string }[]): Promise<RoutedStart[]> {
    // A statement can touch a row once: starts of one id go together, and the first one's engine counts.
    const byKey = new Map<string, RoutedKey & { engine: string; tokens: string[] }>();
    for (const { key, engine, token } of starts) {
      const same = byKey.get(keyText(key));
      if (same === undefined) byKey.set(keyText(key), { ...key, engine, tokens: [token] });
      else same.tokens.push(token);
    }
    const rows = await this.connections.query<IdRecord & { starts: number }>(this.sql.begin, [
      JSON.stringify([...byKey.values()]),
    ]);
    const begun = new Map(rows.map((row) => [keyText(row), { ...routedId(row), alone: row.starts === 1 }]));
    return starts.map(({ key }) => begun.get(keyText(key))!);
  }

  private async endAll(ends: { key: RoutedKey; tokens: string[]; settled: boolean }[]): Promise<void[]> {
    const byKey = new Map<string, RoutedKey & { tokens: string[]; settled: boolean }>();
    for (const { key, tokens, settled } of ends) {
      const same = byKey.get(keyText(key));
      if (same === undefined) byKey.set(keyText(key), { ...key, tokens: [...tokens], settled });
      else {
        same.tokens.push(...tokens);
        same.settled ||= settled;
      }
    }
    await this.connections.query(this.sql.end, [JSON.stringify([...byKey.values()])]);
    return ends.map(() => undefined);
  }
}

const statements = (schema: string, prepared: boolean) =>
  prepareStatements(schema, 'routing', routing(`"${schema}"`), prepared);

/** One text per key. Namespaces cannot have a line break in them. */
export const keyText = ({ namespace, kind, id }: RoutedKey): string => `${namespace}\n${kind}\n${id}`;

const keyOf = ({ namespace, kind, id }: IdRecord): RoutedKey => ({ namespace, kind, id });

const routedId = ({ engine, version, settled, past }: IdRecord): RoutedId => ({ engine, version, settled, past });

const routeVersion = (row: VersionRecord): RouteVersion => ({
  version: row.version,
  routes: row.routes,
  changedMs: row.changed_ms,
  changedBy: row.changed_by,
  reason: row.reason,
  restores: row.restores,
});
