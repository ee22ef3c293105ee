/**
 * A fault of the runtime in shared contexts, put right. `overrideGlobals` keeps the timers of `setTimeout` in one Map for
 * all workflows of the context, by sequence number: `clearTimeout` in one workflow cancelled another's timer.
 */
import type vm from 'node:vm';

interface Sandbox {
  __TEMPORAL_ACTIVATOR__?: object;
  Map?: unknown;
}

/** Runs `overrideGlobals` again, with a Map that has a content per run in place of the ordinary one. */
export function keepTimersPerRun(context: vm.Context, runtimeModules: unknown[]): void {
  const overrides = runtimeModules.find(
    (exports) => typeof (exports as { overrideGlobals?: unknown } | undefined)?.overrideGlobals === 'function',
  ) as { overrideGlobals(): void } | undefined;
  if (overrides === undefined) return;
  const sandbox = context as Sandbox;
  sandbox.Map = mapPerRun(sandbox);
  try {
    overrides.overrideGlobals();
  } finally {
    // Uncovers the context's own Map.
    delete sandbox.Map;
  }
}

function mapPerRun(sandbox: Sandbox): typeof Map {
  return class MapPerRun<K, V> extends Map<K, V> {
    readonly #maps = new WeakMap<object, Map<K, V>>();

    #map(): Map<K, V> {
      const owner = sandbox.__TEMPORAL_ACTIVATOR__ ?? sandbox;
      let map = this.#maps.get(owner);
      if (map === undefined) this.#maps.set(owner, (map = new Map()));
      return map;
    }
    override get(key: K): V | undefined {
      return this.#map().get(key);
    }
    override has(key: K): boolean {
      return this.#map().has(key);
    }
    override set(key: K, value: V): this {
      this.#map().set(key, value);
      return this;
    }
    override delete(key: K): boolean {
      return this.#map().delete(key);
    }
  } as typeof Map;
}
