/** What the router keeps: versions of routes, and which engine has an id. See migrations/0001_foundation.sql, "The router". */

/** One version of the stored routes. The one before it says what they were. */
export interface RouteVersion {
  version: number;
  /** As they were given, checked. */
  routes: unknown;
  changedMs: number;
  changedBy: string;
  reason: string;
  /** The version that this one brought back; null = none. */
  restores: number | null;
}

export interface RoutedKey {
  namespace: string;
  kind: 'workflow' | 'schedule';
  id: string;
}

/** Who has an id. */
export interface RoutedId {
  engine: string;
  /** Moves with each start that begins. */
  version: number;
  /** False while nobody knows yet that the first start on this engine was done. */
  settled: boolean;
  /** Engines that had the id before, newest last. */
  past: string[];
}

/** A start that has begun: nothing moves the id to another engine before it ends. */
export interface RoutedStart extends RoutedId {
  /** No other start of the id is under way. */
  alone: boolean;
}

/** A start whose process died before it said how it ended. */
export interface AbandonedStart extends RoutedId {
  key: RoutedKey;
  tokens: string[];
}

export interface RoutingStore {
  /** Newest version; null = none was stored yet. */
  routes(): Promise<RouteVersion | null>;
  /** Newest first. */
  routeVersions(limit: number): Promise<RouteVersion[]>;
  routeVersion(version: number): Promise<RouteVersion | null>;
  /** Null when `expected` is not the newest version (0 = there is none) any more. Everybody is told. */
  addRoutes(
    expected: number,
    next: Pick<RouteVersion, 'routes' | 'changedBy' | 'reason' | 'restores'>,
  ): Promise<RouteVersion | null>;

  find(key: RoutedKey): Promise<RoutedId | null>;
  /** Claims the id for `engine` unless one has it, and registers a start on whichever has it. May be repeated with the same token. */
  beginStart(key: RoutedKey, engine: string, token: string): Promise<RoutedStart>;
  /** `settled`: the engine has (or had) such a workflow. Otherwise an id that never had one is free again. */
  endStart(key: RoutedKey, tokens: string[], settled: boolean): Promise<void>;
  /** False when another start began since. Everybody is told. */
  moveId(key: RoutedKey, from: { version: number; token: string }, engine: string): Promise<boolean>;
  /** Gives an id that is not settled to the engine that was found to have it; answers who has it then. */
  adoptId(key: RoutedKey, engine: string): Promise<string | null>;
  /** Nobody has the id any more; unless a start began since that version. */
  forgetId(key: RoutedKey, version: number): Promise<void>;
  /** Starts of processes without a lease, and of the one whose tokens begin with `own`, on ids that no start began on for `graceMs`. */
  abandonedStarts(graceMs: number, own: string, limit: number): Promise<AbandonedStart[]>;
  /** Ids that nobody started or looked at for `ageMs`, oldest first; they count as looked at from now on. */
  agedIds(ageMs: number, limit: number): Promise<(RoutedId & { key: RoutedKey })[]>;
  /** Ids of an engine that some start is registered for. */
  startsUnderWay(engine: string): Promise<number>;
}
