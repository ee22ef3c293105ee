/** The routes stored in Postgres, for those who change them: the CLI, and applications of their own. Each change is a version with who and why. */
import type { Connection } from '../client/connection';
import { BranchlineError } from '../common/branchline-error';
import type { LoadEvent, LoadStore, LoadVerdict } from '../store/load-types';
import type { PayloadPartyStore } from '../store/payload-types';
import type { RouteVersion, RoutingStore } from '../store/routing-types';
import { type Mismatch, mismatches } from './payloads/parties';
import { type Routes, type RoutesInput, parseRoutes } from './routes/schema';

/** Version 0: nothing was stored yet; everything starts on `temporal`. */
export interface StoredVersion {
  version: number;
  routes: Routes;
  changedBy: string;
  reason: string;
  changedAt: Date | undefined;
  /** The version that this one brought back. */
  restores?: number;
}

export interface RouteChange {
  /** Who changes it, for the audit log. */
  by: string;
  reason: string;
  /** The version that the change was made from; refused when it is not the newest. Default: the newest. */
  expectedVersion?: number;
}

export interface LoadReport {
  /** Undefined: nobody has looked. */
  verdict?: LoadVerdict;
  /** Newest first. */
  events: (LoadEvent & { atMs: number })[];
}

export class StoredRoutes {
  private constructor(
    private readonly store: RoutingStore,
    private readonly parties: PayloadPartyStore,
    private readonly loads: LoadStore,
    /** Postgres's clock, by which time windows open and close: epoch ms. */
    readonly nowMs: () => number,
  ) {}

  /** Of the connection's database. */
  static async open(connection: Connection): Promise<StoredRoutes> {
    const { store } = (await connection.service()).parts;
    return new this(store.routing, store.payloadParties, store.load, () => store.nowMs());
  }

  async current(): Promise<StoredVersion> {
    const newest = await this.store.routes();
    return newest === null
      ? { version: 0, routes: parseRoutes({}), changedBy: '', reason: '', changedAt: undefined }
      : stored(newest);
  }

  /** Newest first. */
  async history(limit = 100): Promise<StoredVersion[]> {
    return (await this.store.routeVersions(limit)).map(stored);
  }

  /**
   * Puts other routes in force, in every process within seconds.
   * @throws RoutesError; BranchlineError BRANCHLINE_ROUTES_CHANGED when somebody else has changed them since `expectedVersion`
   */
  async change(change: (routes: Routes) => RoutesInput, how: RouteChange): Promise<StoredVersion> {
    const { version, routes } = await this.current();
    this.check(how.expectedVersion, version);
    return this.add(version, parseRoutes(change(routes)), how, null);
  }

  /** Puts an earlier version in force again, as a new version. @throws BranchlineError BRANCHLINE_ROUTES_VERSION when there is no such version */
  async rollback(to: number, how: RouteChange): Promise<StoredVersion> {
    const { version } = await this.current();
    this.check(how.expectedVersion, version);
    const earlier = await this.store.routeVersion(to);
    if (earlier === null || to >= version) {
      throw new BranchlineError('BRANCHLINE_ROUTES_VERSION', `There is no earlier version ${to} of the routes.`);
    }
    return this.add(version, parseRoutes(earlier.routes), how, to);
  }

  /** The engine that has an id by the router's own books; undefined = the router never started it. */
  async reservation(namespace: string, id: string): Promise<{ engine: string; past: string[] } | undefined> {
    return (await this.store.find({ namespace, kind: 'workflow', id })) ?? undefined;
  }

  /** Starts on an engine of which nobody has said yet how they ended. */
  startsUnderWay(engine: string): Promise<number> {
    return this.store.startsUnderWay(engine);
  }

  /** What the check of payloads found, by the workers and clients that are there now: nothing is started there. */
  async payloadMismatches(): Promise<Mismatch[]> {
    const parties = await this.parties.live();
    const clients = parties.filter(({ engine }) => engine === null).map(({ id }) => id);
    return mismatches(parties, clients, (await this.current()).routes.default);
  }

  /** What the load guard saw last, and its newest turns. */
  async load(events: number): Promise<LoadReport> {
    const verdict = (await this.loads.read()) ?? undefined;
    return { ...(verdict === undefined ? {} : { verdict }), events: await this.loads.events(events) };
  }

  private check(expected: number | undefined, version: number): void {
    if (expected !== undefined && expected !== version) throw changed(expected);
  }

  private async add(
    version: number,
    routes: Routes,
    { by, reason }: RouteChange,
    restores: number | null,
  ): Promise<StoredVersion> {
    const added = await this.store.addRoutes(version, { routes, changedBy: by, reason, restores });
    if (added === null) throw changed(version);
    return stored(added);
  }
}

const changed = (expected: number): BranchlineError =>
  new BranchlineError(
    'BRANCHLINE_ROUTES_CHANGED',
    `Somebody has changed the routes since version ${expected}: look at them (branchline route list) and change them again.`,
  );

const stored = ({ version, routes, changedBy, reason, changedMs, restores }: RouteVersion): StoredVersion => ({
  version,
  routes: parseRoutes(routes),
  changedBy,
  reason,
  changedAt: new Date(changedMs),
  ...(restores === null ? {} : { restores }),
});
