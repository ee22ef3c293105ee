/** One Service per database and schema in a process: connections of clients and workers share it and count their uses. */
import { isDeepStrictEqual } from 'node:util';
import { BranchlineError } from '../common/errors';
import type { StoreOptions } from '../store/types';
import { type ServiceOptions, openService } from './index';
import type { Service } from './types';

/** A use of a shared service. */
export interface SharedService {
  readonly service: Service;
  /** Ends this use; the last one closes the service and its connections. Safe to call twice. */
  release(): Promise<void>;
}

/** How to open it. */
type SharedOptions = StoreOptions & Pick<ServiceOptions, 'limits' | 'warn'>;
type Pool = NonNullable<StoreOptions['pool']>;

interface Entry {
  opening: Promise<Service>;
  uses: number;
  options: SharedOptions;
  forget(): void;
}

const byUrl = new Map<string, Entry>();
const byPool = new WeakMap<Pool, Map<string, Entry>>();

/** Settings that belong to the shared service and must not differ between its users. */
const SHARED_SETTINGS = ['maxConnections', 'listen', 'leaseMs', 'timeSkipping'] as const;

/** Opens the service of that database, or joins the one that is open. A failed opening is forgotten: the next call tries again. */
export async function acquireService(options: SharedOptions): Promise<SharedService> {
  const entry = entryOf(options);
  entry.uses++;
  try {
    const service = await entry.opening;
    let released: Promise<void> | undefined;
    return {
      service,
      release: () => (released ??= release(entry)),
    };
  } catch (error) {
    entry.forget();
    throw error;
  }
}

async function release(entry: Entry): Promise<void> {
  if (--entry.uses > 0) return;
  entry.forget();
  await (await entry.opening).close();
}

function entryOf(options: SharedOptions): Entry {
  const schema = options.schema ?? 'branchline';
  let entries: Map<string, Entry>;
  let key: string;
  if (options.pool === undefined) {
    entries = byUrl;
    key = `${options.url ?? process.env.DATABASE_URL ?? 'PG*'}\n${schema}`;
  } else {
    entries = byPool.get(options.pool) ?? new Map<string, Entry>();
    byPool.set(options.pool, entries);
    key = schema;
  }
  const known = entries.get(key);
  if (known !== undefined) {
    checkSame(known.options, options);
    return known;
  }
  const entry: Entry = {
    opening: openService(options),
    uses: 0,
    options,
    forget: () => {
      if (entries.get(key) === entry) entries.delete(key);
    },
  };
  entries.set(key, entry);
  return entry;
}

function checkSame(open: SharedOptions, asked: SharedOptions): void {
  if (asked.limits !== undefined && !isDeepStrictEqual(asked.limits, open.limits ?? {})) {
    throw new BranchlineError(
      'BRANCHLINE_OPTION_CONFLICT',
      "Option 'dynamicConfig' is not what the connection has that this process opened to the same database and schema: give all connections the same.",
    );
  }
  for (const name of SHARED_SETTINGS) {
    if (asked[name] === undefined || asked[name] === open[name]) continue;
    throw new BranchlineError(
      'BRANCHLINE_OPTION_CONFLICT',
      `Option '${name}' is ${String(asked[name])} here, but this process is already connected to the same database and schema with ` +
        `${open[name] === undefined ? 'the default' : String(open[name])}: give all connections the same.`,
    );
  }
}
