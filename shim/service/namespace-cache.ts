/** Namespaces by name, from memory. */
import type { Store } from '../store/types';
import { invalidArgument, notFound } from './errors';
import type { NamespaceInfo } from './types';

/** Memory is read anew after this long, ms: what other processes register or change. */
const TTL_MS = 10_000;
/** An unknown name is asked for at most this often, ms. */
const MISS_TTL_MS = 200;

export class NamespaceCache {
  private byName = new Map<string, NamespaceInfo>();
  private byId = new Map<number, NamespaceInfo>();
  private readAt = -Infinity;
  private reading: Promise<void> | null = null;

  constructor(private readonly store: Store) {}

  /** At once when it is in memory. NOT_FOUND with NamespaceNotFoundFailure for an unknown one. */
  get(name: string | null | undefined): NamespaceInfo | Promise<NamespaceInfo> {
    const wanted = name ?? '';
    if (wanted === '') throw invalidArgument('Namespace is empty.');
    const age = performance.now() - this.readAt;
    const known = this.byName.get(wanted);
    if (known !== undefined) {
      // An old answer serves while it is renewed.
      if (age > TTL_MS) this.read().catch(() => undefined);
      return known;
    }
    return this.look(wanted, age);
  }

  private async look(wanted: string, age: number): Promise<NamespaceInfo> {
    if (age > MISS_TTL_MS) await this.read();
    const found = this.byName.get(wanted);
    if (found === undefined) {
      throw notFound(`Namespace ${wanted} is not found.`, [
        { type: 'NamespaceNotFoundFailure', value: { namespace: wanted } },
      ]);
    }
    return found;
  }

  /** Registered search attributes; null when the namespace is not known here (then they are not checked). */
  searchAttributeTypes(namespaceId: number): Record<string, number> | null {
    return this.byId.get(namespaceId)?.searchAttributeTypes ?? null;
  }

  private read(): Promise<void> {
    this.reading ??= this.readNow().finally(() => (this.reading = null));
    return this.reading;
  }

  private async readNow(): Promise<void> {
    const rows = await this.store.namespaces.all();
    const types = await Promise.all(rows.map((row) => this.store.namespaces.searchAttributeTypes(row.id)));
    const byName = new Map<string, NamespaceInfo>();
    const byId = new Map<number, NamespaceInfo>();
    rows.forEach(({ id, uuid, name, retentionMs }, i) => {
      const info = { id, uuid, name, retentionMs, searchAttributeTypes: types[i]! };
      byName.set(name, info);
      byId.set(id, info);
    });
    this.byName = byName;
    this.byId = byId;
    this.readAt = performance.now();
  }
}
