/** What the router keeps of the check that payloads mean the same to all. See migrations/0001_foundation.sql, "The check of payloads". */

/** Someone who takes part: a worker of an engine on a task queue, or a client. */
export interface PayloadParty {
  id: string;
  /** Null: a client, for all engines and task queues. */
  engine: string | null;
  /** As the application names it. */
  namespace: string;
  taskQueue: string;
  identity: string;
  /** What it makes of a fixed value (router/payloads/canary.ts). */
  canary: object;
  /** Others whose canaries it cannot read, and why. */
  unreadable: { id: string; why: string }[];
}

export interface PayloadPartyStore {
  /** They are there, and stay for a minute. `tell` the others that something is new. */
  show(parties: PayloadParty[], tell: boolean): Promise<void>;
  /** All that are there. */
  live(): Promise<PayloadParty[]>;
  leave(ids: string[]): Promise<void>;
}
