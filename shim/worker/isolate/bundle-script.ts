/** Reads a workflow bundle, ours or the official bundler's, into a script that contexts can run. */
import { SourceMap } from 'node:module';
import vm from 'node:vm';
import { BranchlineError } from '../../common/branchline-error';
import { BUNDLE_MARK } from './bundle-mark';
import type { WorkflowBundle } from './types';

/**
 * `branchline`: runtime and user code apart, user code is evaluated per run.
 * `webpack`: the official bundler's; its module cache is reached through `globalThis.__webpack_module_cache__`.
 * `plain`: something else that defines `__TEMPORAL__`; module state cannot be kept apart in a shared context.
 */
export type BundleKind = 'branchline' | 'webpack' | 'plain';

const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,([A-Za-z0-9+/=]+)\s*$/;
/** Searched from the end, before the expression runs over the (large) map. */
const INLINE_MAP_HEAD = '//# sourceMappingURL=data:';

interface RawMap {
  sources?: string[];
  sourcesContent?: (string | null)[];
  sections?: { map: RawMap }[];
}

export class BundleScript {
  readonly kind: BundleKind;
  readonly script: vm.Script;
  readonly filename: string;
  readonly #mapText: string | undefined;
  #map: SourceMap | undefined;

  constructor(bundle: WorkflowBundle) {
    this.filename = bundle.filename;
    const at = bundle.code.lastIndexOf(INLINE_MAP_HEAD);
    const inline = at === -1 ? null : INLINE_MAP.exec(bundle.code.slice(at));
    const code = inline === null ? bundle.code : bundle.code.slice(0, at);
    this.#mapText = inline === null ? bundle.sourceMap : Buffer.from(inline[1] as string, 'base64').toString('utf8');
    this.kind = code.startsWith(BUNDLE_MARK)
      ? 'branchline'
      : code.includes('globalThis.__webpack_module_cache__')
        ? 'webpack'
        : 'plain';
    try {
      this.script = new vm.Script(code, { filename: bundle.filename });
    } catch (error) {
      throw notLoadable(bundle.filename, error);
    }
  }

  /** Parsed when first asked for: only stack traces need it. Undefined when the bundle has none. */
  get sourceMap(): SourceMap | undefined {
    if (this.#map === undefined && this.#mapText?.startsWith('{')) {
      this.#map = new SourceMap(JSON.parse(this.#mapText) as ConstructorParameters<typeof SourceMap>[0]);
    }
    return this.#map;
  }

  /** Sources and their texts, as Temporal's `__enhanced_stack_trace` reads them. */
  sources(): { sources: string[]; sourcesContent: (string | null)[] } {
    const found = { sources: [] as string[], sourcesContent: [] as (string | null)[] };
    if (this.#mapText?.startsWith('{')) collect(JSON.parse(this.#mapText) as RawMap, found);
    return found;
  }
}

function collect(map: RawMap, found: { sources: string[]; sourcesContent: (string | null)[] }): void {
  for (const section of map.sections ?? []) collect(section.map, found);
  map.sources?.forEach((source, index) => {
    found.sources.push(source);
    found.sourcesContent.push(map.sourcesContent?.[index] ?? null);
  });
}

/** The error of a worker's start when its bundle cannot be evaluated. */
export function notLoadable(filename: string, error: unknown): BranchlineError {
  const { name, message, stack } = error as Partial<Error>;
  return new BranchlineError(
    'BRANCHLINE_BUNDLE_THROWS',
    `Workflow bundle '${filename}' threw while it was loaded: ${name ?? 'Error'}: ${message ?? String(error)}\n${stack ?? ''}`,
    { cause: error },
  );
}
