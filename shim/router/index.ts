/**
 * Temporal and Postgres side by side: a connection over both, and the routes that say where new workflows start. See docs/router.md.
 * @module
 */
export { RoutedConnection } from './connection';
export type { EngineOptions, RoutedConnectionOptions } from './options';
export { type DrainQuery, type DrainReport, type OpenRun, drainReport } from './drain';
export { routedActivities } from './elsewhere/activities';
export { ENGINE_ATTRIBUTE } from './engine-attribute';
export { type AskedEngine, prospectsOf } from './prospects';
export { type Decision, type Explanation, decide, explain, shareOf } from './routes/decide';
export { type StartFacts, type StartRequest, type TenantFunction, startFacts } from './routes/facts';
export { ruleText, withRule, withoutRule } from './routes/edit';
export { type Guard, type Routes, type RoutesInput, RoutesError, type Rule, parseRoutes } from './routes/schema';
export type { RoutesOption } from './routes/source';
export type { LatencyFunction } from './load/load-guard';
export { type Meter, type TypeRate, breakEven, ratesOf } from './load/meter';
export type { Mismatch } from './payloads/parties';
export type { MoveScheduleOptions, ScheduleMove, ScheduleMoves } from './schedule-moves/moves';
export { routedService } from './service';
export { type LoadReport, type RouteChange, StoredRoutes, type StoredVersion } from './stored-routes';
export { type CreateWorkersOptions, type RoutedWorkers, type WorkerEngine, createWorkers } from './workers';
