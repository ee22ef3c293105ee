/** Metrics on an HTTP endpoint that Prometheus scrapes: `GET /metrics`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BranchlineError } from '../../common/branchline-error';
import type { ExportedMetric, Exporter, MetricSpec } from '../types';
import { Registry, type RegistryOptions } from './registry';
import { CONTENT_TYPE, exposition } from './text';

export interface PrometheusOptions extends RegistryOptions {
  host: string;
  /** 0: a free one. */
  port: number;
}

/** `host:port`, an IPv6 host in brackets; undefined when it is not of that form. */
export function parseBindAddress(address: string): { host: string; port: number } | undefined {
  const [, six, four, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  const host = six ?? four;
  return host === undefined || !(port <= 65_535) ? undefined : { host, port };
}

export class PrometheusExporter implements Exporter {
  private readonly registry: Registry;
  private readonly server: Server;
  private readonly listening: Promise<void>;

  /** Binds at once; {@link ready} tells whether it could. */
  constructor(private readonly options: PrometheusOptions) {
    this.registry = new Registry(options);
    this.server = createServer((request, response) => this.answer(request, response));
    this.listening = new Promise((resolve, reject) => {
      this.server.once('listening', resolve);
      this.server.once('error', (cause) => {
        const message = `Metrics cannot be served on ${options.host}:${options.port}: ${cause.message}`;
        reject(new BranchlineError('BRANCHLINE_METRICS_BIND', message, { cause }));
      });
    });
    this.listening.catch(() => undefined);
    this.server.listen(options.port, options.host);
    // Being scraped is no reason for a process to live.
    this.server.unref();
  }

  metric(spec: MetricSpec): ExportedMetric {
    return this.registry.metric(spec);
  }

  ready(): Promise<void> {
    return this.listening;
  }

  /** host:port, once it listens. */
  get address(): string {
    const { address, port, family } = this.server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  text(): string {
    return exposition(this.registry.families(), this.options.globalTags);
  }

  async close(): Promise<void> {
    await this.listening.catch(() => undefined);
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    if (method !== 'GET' || url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(this.text());
  }
}
