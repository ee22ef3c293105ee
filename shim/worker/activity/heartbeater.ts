/** Heartbeats of one activity: the first is sent at once, the newest of the following once per interval. */
import type { temporal } from '@temporalio/proto';

type Payload = temporal.api.common.v1.IPayload;

export interface HeartbeaterOptions {
  intervalMs: number;
  encode: (details: unknown) => Promise<Payload[]>;
  /** Sends to the service and deals with its answer. Never rejects. */
  report: (details: Payload[]) => Promise<void>;
  /** The details could not be encoded. */
  onEncodeError: (error: unknown) => void;
}

export class Heartbeater {
  private newest: { details: unknown } | undefined;
  private encoded: Payload[] | undefined;
  private unsent = false;
  private encoding: Promise<void> | undefined;
  private reporting: Promise<void> | undefined;
  private throttle: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: HeartbeaterOptions) {}

  /** User code's call. Heartbeats after the end are dropped. */
  record(details: unknown): void {
    if (this.closed) return;
    this.newest = { details };
    this.encoding ??= this.encodeAll();
  }

  /** The attempt failed: the newest details, which travel with the failure. */
  async lastDetails(): Promise<Payload[] | undefined> {
    await this.encoding;
    return this.encoded;
  }

  /** No more heartbeats. With `flush`, what was not sent yet is sent before this resolves. */
  async close(flush: boolean): Promise<void> {
    if (flush) await this.encoding;
    this.closed = true;
    clearTimeout(this.throttle);
    this.throttle = undefined;
    if (!flush) return;
    await this.reporting;
    if (this.unsent && this.encoded !== undefined) await this.options.report(this.encoded);
  }

  private async encodeAll(): Promise<void> {
    while (this.newest !== undefined) {
      const { details } = this.newest;
      this.newest = undefined;
      try {
        this.encoded = await this.options.encode(details);
      } catch (error) {
        this.options.onEncodeError(error);
        continue;
      }
      this.unsent = true;
      if (this.reporting === undefined && this.throttle === undefined && !this.closed) this.send();
    }
    this.encoding = undefined;
  }

  private send(): void {
    this.unsent = false;
    const sentAt = performance.now();
    this.reporting = this.options.report(this.encoded!).then(() => {
      this.reporting = undefined;
      if (this.closed) return;
      const rest = Math.max(this.options.intervalMs - (performance.now() - sentAt), 0);
      this.throttle = setTimeout(() => {
        this.throttle = undefined;
        if (this.unsent && !this.closed) this.send();
      }, rest);
    });
  }
}
