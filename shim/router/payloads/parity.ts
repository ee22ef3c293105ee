/** A process's part in the check that all understand each other's payloads: shows its canary, reads the others', and knows what follows. */
import { randomUUID } from 'node:crypto';
import type { LoadedDataConverter, Logger } from '@temporalio/common';
import type { PayloadParty } from '../../store/payload-types';
import type { Store } from '../../store/types';
import { Code, refusal } from '../errors';
import { OneAtATime } from '../one-at-a-time';
import { timely } from '../timely';
import { type Canary, type Reading, makeCanary, misread, readOwn } from './canary';
import { type Mismatch, mismatches } from './parties';

/** Who takes part, and where. */
export interface Place {
  /** Null: a client, for all engines and task queues. */
  engine: string | null;
  /** As the application names it, not as an engine does in its place. */
  namespace: string;
  taskQueue: string;
}

export interface ParitySetting {
  store: Pick<Store, 'payloadParties' | 'onNotice'>;
  /** None: a connection that only heeds what others found. */
  places: Place[];
  converter: LoadedDataConverter | undefined;
  identity: string;
  logger: Logger;
  defaultEngine(): string;
}

const LOOK_EVERY_MS = 10_000;

export class Parity {
  private readonly members: { party: PayloadParty; read: Set<string> }[];
  private own: Map<string, { canary: Canary; reading: Reading }> | undefined;
  private found: Mismatch[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly looks = new OneAtATime(() => this.lookSafely());
  private stopListening: (() => void) | undefined;
  private closed = false;

  constructor(private readonly setting: ParitySetting) {
    this.members = setting.places.map((place) => ({
      party: { id: randomUUID(), ...place, identity: setting.identity, canary: {}, unreadable: [] },
      read: new Set(),
    }));
  }

  /** Shows the canary and reads those of others once, then from time to time. Never throws. */
  async start(): Promise<void> {
    this.stopListening = this.setting.store.onNotice(({ kind }) => {
      if (kind === 'payloads' || kind === 'missed') void this.look();
    });
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.timer.unref();
    await this.look();
  }

  /** What keeps starts on that queue from that engine; undefined = nothing that is known. */
  refusalOf(engine: string, namespace: string, taskQueue: string): Error | undefined {
    const mismatch = this.found.find(
      (one) => one.engine === engine && one.namespace === namespace && one.taskQueue === taskQueue,
    );
    if (mismatch === undefined) return undefined;
    return refusal(
      Code.FAILED_PRECONDITION,
      'BRANCHLINE_ROUTER_PAYLOAD_MISMATCH',
      `nothing is started on engine '${engine}' for task queue '${taskQueue}': ${mismatch.sentence}. Give both sides the same data converter, codecs and keys.`,
    );
  }

  /** Never throws. */
  look(): Promise<void> {
    return this.looks.run();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    this.stopListening?.();
    // Postgres may be away: whoever closes does not wait for it.
    await timely(this.leave()).catch(() => undefined);
  }

  private async leave(): Promise<void> {
    await this.looks.settled();
    const ids = this.members.map(({ party }) => party.id);
    if (ids.length > 0) await this.setting.store.payloadParties.leave(ids);
  }

  private async lookSafely(): Promise<void> {
    if (this.closed) return;
    try {
      await this.lookOnce();
    } catch (error) {
      if (this.closed) return;
      this.setting.logger.warn('Payloads could not be held against those of other processes', { error });
    }
  }

  private async lookOnce(): Promise<void> {
    const { store, converter } = this.setting;
    if (converter !== undefined) await this.show(converter, false);
    const others = await store.payloadParties.live();
    if (converter !== undefined && (await this.readAll(converter, others))) await this.show(converter, true);
    this.judge(others);
  }

  /** Each look says that this process lives. */
  private async show(converter: LoadedDataConverter, tell: boolean): Promise<void> {
    if (this.own === undefined) {
      const own = new Map<string, { canary: Canary; reading: Reading }>();
      for (const { party } of this.members) {
        if (own.has(party.namespace)) continue;
        const canary = await makeCanary(converter, party.namespace);
        own.set(party.namespace, { canary, reading: await readOwn(converter, party.namespace, canary) });
      }
      this.own = own;
    }
    for (const { party } of this.members) party.canary = this.own.get(party.namespace)!.canary;
    await this.setting.store.payloadParties.show(
      this.members.map(({ party }) => party),
      tell,
    );
  }

  /** True: there is something new to say. What was read once stays read; what could not be is tried again, as a key service may have been away. */
  private async readAll(converter: LoadedDataConverter, others: PayloadParty[]): Promise<boolean> {
    let changed = false;
    for (const { party, read } of this.members) {
      const unreadable: PayloadParty['unreadable'] = [];
      for (const other of others) {
        if (read.has(other.id) || !concerns(party, other)) continue;
        const { reading } = this.own!.get(party.namespace)!;
        const why = await misread(converter, other.namespace, other.canary as Canary, reading);
        if (why === undefined) read.add(other.id);
        else unreadable.push({ id: other.id, why });
      }
      const before = JSON.stringify(party.unreadable);
      party.unreadable = unreadable;
      changed ||= before !== JSON.stringify(unreadable);
    }
    return changed;
  }

  private judge(others: PayloadParty[]): void {
    const { logger, defaultEngine } = this.setting;
    const own = this.members.map(({ party }) => party);
    const all = [...others.filter(({ id }) => own.every((party) => party.id !== id)), ...own];
    const clients = own.filter(({ engine }) => engine === null).map(({ id }) => id);
    const before = new Set(this.found.map(({ sentence }) => sentence));
    this.found = mismatches(all, clients, defaultEngine());
    for (const { engine, taskQueue, sentence } of this.found) {
      if (before.has(sentence)) continue;
      logger.error(`Nothing is started on engine '${engine}' for task queue '${taskQueue}': ${sentence}`, {
        code: 'BRANCHLINE_ROUTER_PAYLOAD_MISMATCH',
        engine,
        taskQueue,
      });
    }
  }
}

/** Clients read all workers; workers read clients, and those of other engines on their queue. */
function concerns(party: PayloadParty, other: PayloadParty): boolean {
  if (party.engine === null) return other.engine !== null;
  if (other.engine === null) return true;
  return other.engine !== party.engine && other.namespace === party.namespace && other.taskQueue === party.taskQueue;
}
