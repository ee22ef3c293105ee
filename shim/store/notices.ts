/** Notices between processes: gathered, sent by statements of their own, never inside a write transaction (NOTIFY there halves commits). */
import type { Client } from 'pg';
import type { Clock } from './clock';
import type { Connections } from './connections';
import { StoreClosedError } from './errors';
import type { Leases } from './leases';
import type { Statement } from './statement';
import type { Notice } from './types';

/** What goes over the wire: who sent it, and notices; `hello` = a process is new here. */
interface Message {
  from: string;
  /** Server time when it was made, ms. */
  at?: number;
  hello?: true;
  notices: Notice[];
}

/** NOTIFY takes less than 8000 bytes, sender and brackets included. */
const maxNoticeBytes = 7800;
const runIdsPerNotice = 100;
/** How often a process that cannot listen looks, while others live. */
const pollMs = 100;
const sweepEveryPolls = 600;

export class Notices {
  private readonly listeners = new Set<(notice: Notice) => void>();
  private readonly runIds = new Set<string>();
  private readonly queues = new Map<string, { namespaceId: number; queue: string; kind: 'workflow' | 'activity' }>();
  private readonly others = new Map<string, Notice>();
  private sending = false;
  private client: Client | undefined;
  private seen = new Set<string>();
  private polls = 0;

  constructor(
    private readonly connections: Connections,
    private readonly leases: Leases,
    private readonly clock: Clock,
    private readonly processId: string,
    private readonly channel: string,
    private readonly listens: boolean,
    private readonly statements: { notify: Statement; post: Statement; poll: Statement; sweep: Statement },
  ) {}

  async start(): Promise<void> {
    if (this.listens) await this.connections.persist(() => this.listen());
    else void this.pollLoop();
    await this.hello();
  }

  /** Asks the others to look who is here and what is polled. */
  async hello(): Promise<void> {
    await this.send([JSON.stringify({ from: this.processId, hello: true, notices: [] } satisfies Message)]);
  }

  get listening(): boolean {
    return this.client !== undefined;
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  notify(notice: Notice): void {
    if (this.connections.closed || this.leases.live().length === 0) return;
    if (notice.kind === 'runs') for (const id of notice.runIds) this.runIds.add(id);
    else if (notice.kind === 'tasks') {
      for (const queue of notice.queues) this.queues.set(`${queue.kind}:${queue.namespaceId}:${queue.queue}`, queue);
    } else this.others.set(JSON.stringify(notice), notice);
    if (this.sending) return;
    this.sending = true;
    setImmediate(() => void this.sendAll());
  }

  /** Tells this process's listeners only. */
  emit(notice: Notice): void {
    for (const listener of this.listeners) listener(notice);
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => {});
  }

  private async sendAll(): Promise<void> {
    try {
      while (this.runIds.size + this.queues.size + this.others.size > 0) await this.send(this.take());
    } catch (error) {
      // Whoever waits looks again by itself; nothing of value is lost with a notice.
      if (!(error instanceof StoreClosedError)) process.emitWarning(error as Error);
    } finally {
      this.sending = false;
    }
  }

  /** What has gathered, as messages that NOTIFY takes. */
  private take(): string[] {
    const notices: Notice[] = [...this.others.values()];
    for (const queue of this.queues.values()) notices.push({ kind: 'tasks', queues: [queue] });
    const runIds = [...this.runIds];
    for (let i = 0; i < runIds.length; i += runIdsPerNotice) {
      notices.push({ kind: 'runs', runIds: runIds.slice(i, i + runIdsPerNotice) });
    }
    this.others.clear();
    this.runIds.clear();
    this.queues.clear();

    const messages: string[] = [];
    let open: Notice[] = [];
    let size = 0;
    for (const notice of notices) {
      const bytes = Buffer.byteLength(JSON.stringify(notice)) + 1;
      // Only a queue with a name of kilobytes: such queues are found by polling.
      if (bytes > maxNoticeBytes) continue;
      if (size + bytes > maxNoticeBytes) {
        messages.push(this.encode(open));
        open = [];
        size = 0;
      }
      open.push(notice);
      size += bytes;
    }
    if (open.length > 0) messages.push(this.encode(open));
    return messages;
  }

  private encode(notices: Notice[]): string {
    return JSON.stringify({ from: this.processId, at: Math.round(this.clock.serverMs()), notices } satisfies Message);
  }

  private async send(messages: string[]): Promise<void> {
    if (messages.length === 0) return;
    await this.connections.query(this.statements.notify, [this.channel, messages]);
    if (this.leases.live().some((process) => !process.listens)) {
      await this.connections.query(this.statements.post, [this.processId, messages]);
    }
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as Message;
    if (message.from === this.processId) return;
    if (message.at !== undefined) this.connections.observer?.noticed(Math.max(0, this.clock.serverMs() - message.at));
    if (message.hello === true) void this.leases.renewNow();
    for (const notice of message.notices) this.emit(notice);
  }

  private async listen(): Promise<void> {
    const client = await this.connections.persist(() => this.connections.listenClient());
    client.on('notification', ({ payload }) => payload !== undefined && this.receive(payload));
    client.once('end', () => void this.reconnect(client));
    await client.query(`LISTEN "${this.channel}"`);
    if (this.connections.closed) {
      await client.end();
      return;
    }
    // From here on: listening alone keeps no process alive.
    (client as Client & { unref(): void }).unref();
    this.client = client;
  }

  private async reconnect(lost: Client): Promise<void> {
    if (this.connections.closed || this.client !== lost) return;
    this.client = undefined;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.listen();
        break;
      } catch (error) {
        if (error instanceof StoreClosedError || this.connections.closed) return;
        await this.connections.pause(attempt);
      }
    }
    this.catchUp();
  }

  /** Notices may have been missed: tells our own pollers and waiters to look. */
  private catchUp(): void {
    this.emit({ kind: 'missed' });
    const queues = this.leases.ownPollers().map(({ namespaceId, queue, kind }) => ({ namespaceId, queue, kind }));
    if (queues.length > 0) this.emit({ kind: 'tasks', queues });
    for (const { namespaceId, queue } of queues) this.emit({ kind: 'query', namespaceId, queue });
  }

  private async pollLoop(): Promise<void> {
    while (!this.connections.closed) {
      await this.connections.delay(pollMs);
      if (this.connections.closed || this.leases.live().length === 0) continue;
      try {
        await this.poll();
      } catch (error) {
        if (!(error instanceof StoreClosedError)) process.emitWarning(error as Error);
      }
    }
  }

  private async poll(): Promise<void> {
    const rows = await this.connections.query<{ id: string; notice: string }>(this.statements.poll, [this.processId]);
    const before = this.seen;
    this.seen = new Set(rows.map(({ id }) => id));
    for (const { id, notice } of rows) if (!before.has(id)) this.receive(notice);
    if (++this.polls % sweepEveryPolls === 0) await this.connections.query(this.statements.sweep, []);
  }
}
