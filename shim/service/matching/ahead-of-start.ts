/**
 * First workflow tasks that are handed out before their run's start is durable, so that start and first completion are one commit. Workflow
 * code has no effect but its commands; what else may leave it (local activities, sink calls) waits for the start.
 */

/** Resolves when the start is durable (true) or was refused: then the run was never there (false). Asking makes the start be committed at once. */
export type StartDurable = () => Promise<boolean>;

const key = Symbol('branchline.startDurable');

interface AheadOfStart {
  [key]?: StartDurable;
}

export function markAheadOfStart(response: object, startDurable: StartDurable): void {
  (response as AheadOfStart)[key] = startDurable;
}

/** Undefined for tasks of runs whose start is durable. */
export const startDurableOf = (task: object): StartDurable | undefined => (task as AheadOfStart)[key];
