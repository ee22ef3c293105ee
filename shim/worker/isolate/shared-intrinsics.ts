/**
 * The objects that all runs of a reusable context share: JavaScript's built-ins, the host's classes, the runtime's exports.
 * Functions and namespaces are frozen, as in the official worker. Prototypes stay open to polyfills; their first state is kept.
 */
import vm from 'node:vm';

/** A prototype that runs may change, and what it held at first. */
export interface TrackedPrototype {
  readonly holder: object;
  readonly keys: readonly PropertyKey[];
  readonly descriptors: ReadonlyMap<PropertyKey, PropertyDescriptor>;
  readonly prototype: object | null;
  /** Whether properties may be added. */
  readonly open: boolean;
}

/**
 * Prototypes that polyfills and the like add to. Looking for additions costs time at each change of runs, so the others
 * (typed arrays', `Intl`'s, the runtime's classes', …) take none: what they have may be replaced, nothing added.
 */
const openPrototypes = new vm.Script(
  `[Object, Function, Array, String, Number, Boolean, Symbol, BigInt, Date, RegExp, Promise, Map, Set, WeakMap, WeakSet, Error, ArrayBuffer, Uint8Array]
  .map((constructor) => constructor.prototype)
  .concat(Object.getPrototypeOf(Uint8Array.prototype), Object.getPrototypeOf(Object.getPrototypeOf([].values())), Object.getPrototypeOf(function* () {}).prototype)`,
);

/** Built-ins that no global variable leads to. */
const hiddenIntrinsics = new vm.Script(`(() => {
  const generators = [function* () {}, async function* () {}, async () => {}];
  const instances = [[].values(), ''[Symbol.iterator](), new Map().keys(), new Set().keys(), 'x'.matchAll(/x/g)];
  return {
    prototypes: [...instances, ...generators].map(Object.getPrototypeOf).concat(generators.map((f) => Object.getPrototypeOf(f).prototype)),
    functions: [...generators.map((f) => f.constructor), Object.getPrototypeOf(Int8Array)],
  };
})()`);

/**
 * Freezes what is to be frozen and returns the prototypes to keep an eye on.
 *
 * @param roots values beside the global variables to start from
 * @param untouched objects that belong to others as well: neither frozen nor tracked
 */
export function secureIntrinsics(
  context: vm.Context,
  globalObject: object,
  roots: unknown[],
  untouched: unknown[],
): TrackedPrototype[] {
  const tracked = new Set<object>();
  const met = new Set<unknown>([globalObject, context, ...untouched]);
  const { Object: contextObject } = vm.runInContext('({ Object })', context) as { Object: ObjectConstructor };

  const track = (prototype: unknown) => {
    if (!isObject(prototype) || met.has(prototype) || tracked.has(prototype)) return;
    if (isBare(prototype)) {
      Object.freeze(prototype);
      return;
    }
    tracked.add(prototype);
    visitMembers(prototype);
    track(Object.getPrototypeOf(prototype));
  };
  /** The prototype that comes with any plain function; nobody extends it. */
  const isBare = (prototype: object) => {
    const keys = Reflect.ownKeys(prototype);
    return (
      keys.length === 1 && keys[0] === 'constructor' && Object.getPrototypeOf(prototype) === contextObject.prototype
    );
  };
  const visit = (value: unknown) => {
    if (!isObject(value) || met.has(value) || tracked.has(value)) return;
    met.add(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    // A class's own prototype is its parent class; anything else up there is open to polyfills.
    if (typeof prototype === 'function' && 'prototype' in prototype) visit(prototype);
    else track(prototype);
    if (typeof value === 'function') track(value.prototype);
    visitMembers(value);
    try {
      Object.freeze(value);
    } catch {
      // Typed arrays with elements cannot be frozen.
    }
  };
  const visitMembers = (holder: object) => {
    for (const key of Reflect.ownKeys(holder)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor;
      visit(get);
      visit(set);
      if (key === 'prototype') track(value);
      else if (key !== 'constructor') visit(value);
    }
  };

  const hidden = hiddenIntrinsics.runInContext(context) as { prototypes: unknown[]; functions: unknown[] };
  hidden.prototypes.forEach(track);
  hidden.functions.forEach(visit);
  for (const key of Reflect.ownKeys(globalObject)) visit((globalObject as Record<PropertyKey, unknown>)[key]);
  roots.forEach(visit);
  const openOnes = new Set(openPrototypes.runInContext(context) as object[]);
  return [...tracked].map((holder) => {
    const open = openOnes.has(holder);
    if (!open) Object.preventExtensions(holder);
    const keys = Reflect.ownKeys(holder);
    const descriptors = new Map(
      keys.map((key) => [key, Reflect.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor]),
    );
    return { holder, keys, descriptors, prototype: Object.getPrototypeOf(holder) as object | null, open };
  });
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
