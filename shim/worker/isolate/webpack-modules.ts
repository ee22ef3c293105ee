/** Module state of official (webpack) bundles in a shared context: the runtime's modules once, all others per run. */
import type vm from 'node:vm';
import type { Activator } from '@temporalio/workflow/lib/internals';

/**
 * Gives the bundle its module cache. Modules loaded before any run (the runtime, preloaded ones) are shared;
 * the rest is kept in the activator of the run that loads them.
 *
 * @returns exports of the shared modules, to be called once the bundle is evaluated
 */
export function cacheModulesPerRun(context: vm.Context): () => unknown[] {
  const sandbox = context as { __TEMPORAL_ACTIVATOR__?: Activator };
  const common = new Map<PropertyKey, unknown>();
  const cacheOfRun = () => sandbox.__TEMPORAL_ACTIVATOR__?.moduleCache as Map<PropertyKey, unknown> | undefined;
  const cacheOfNow = () => cacheOfRun() ?? common;
  const cache = new Proxy<Record<PropertyKey, unknown>>(
    {},
    {
      get: (_, id) => common.get(id) ?? cacheOfRun()?.get(id),
      set: (_, id, module) => {
        cacheOfNow().set(id, module);
        return true;
      },
      deleteProperty: (_, id) => cacheOfNow().delete(id),
    },
  );
  Object.defineProperty(context, '__webpack_module_cache__', { value: cache });
  return () => [...common.values()].map((module) => (module as { exports: unknown }).exports);
}
