/**
 * Keeps what one workflow does to the global scope and to built-in prototypes of a shared context away from the others:
 * a run's changes are taken off when another run is entered, and put back when it returns.
 * (The official worker swaps global variables, and leaves changed prototypes in place for everybody.)
 *
 * All of this runs in the host's realm, whose own built-ins no workflow can have changed.
 */
import vm from 'node:vm';
import { replaceDefiners } from './definers';
import { secureIntrinsics, type TrackedPrototype } from './shared-intrinsics';

const ACTIVATOR = '__TEMPORAL_ACTIVATOR__';
/** Stands for the prototype in a {@link Change}. */
const PROTOTYPE = Symbol('prototype');

/** One run's place in the context. */
export interface Bag {
  activator: unknown;
  changes: Change[];
}
interface Change {
  holder: object;
  key: PropertyKey;
  /** As the run left it; undefined when it deleted the property. */
  mine: PropertyDescriptor | undefined;
  pristine: PropertyDescriptor | undefined;
}

export class ContextGuard {
  readonly #sandbox: Record<PropertyKey, unknown>;
  readonly #global: object;
  readonly #tracked: TrackedPrototype[];
  readonly #base: Map<PropertyKey, PropertyDescriptor>;
  readonly #known: Set<PropertyKey>;
  /** How many names the sandbox and symbols the global object have at first. */
  readonly #names: number;
  readonly #symbols: number;
  readonly #globalsPristine: () => boolean;
  readonly #prototypesPristine: () => boolean;
  #current: Bag | undefined;
  /** A prototype may have changed in a way that the quick check does not see. */
  #dirty = false;
  #spoiled = false;

  /**
   * @param roots values that the context's runs share beside its global variables
   * @param untouched objects that code outside of the context uses as well
   */
  constructor(context: vm.Context, roots: unknown[], untouched: unknown[]) {
    this.#sandbox = context as Record<PropertyKey, unknown>;
    const global = vm.runInContext('globalThis', context) as Record<PropertyKey, unknown>;
    this.#global = global;
    const shared = new Set<object>([global]);
    replaceDefiners(context, { isShared: (target) => shared.has(target), changed: () => (this.#dirty = true) });
    this.#tracked = secureIntrinsics(context, global, roots, untouched);
    for (const { holder } of this.#tracked) shared.add(holder);

    const keys = Reflect.ownKeys(global).filter((key) => key !== ACTIVATOR);
    this.#base = new Map(keys.map((key) => [key, Reflect.getOwnPropertyDescriptor(global, key) as PropertyDescriptor]));
    // What is on the sandbox object covers the global variable of that name, and is read a hundred times faster.
    // Writes and deletions inside go to both; symbols do not.
    for (const [key, descriptor] of this.#base) {
      if (typeof key === 'string') Reflect.defineProperty(context, key, descriptor);
    }
    this.#known = new Set([...keys, ...Reflect.ownKeys(context), ACTIVATOR]);
    this.#sandbox[ACTIVATOR] = undefined;
    this.#names = Reflect.ownKeys(context).length;
    this.#symbols = Object.getOwnPropertySymbols(global).length;
    this.#globalsPristine = quickCheck([[context, this.#base]]);
    this.#prototypesPristine = quickPrototypeCheck(this.#tracked);
  }

  /** True once a change could not be taken back: no further run should start in this context. */
  get spoiled(): boolean {
    return this.#spoiled;
  }

  /** Swaps the run's world in. Cheap when it is there already. */
  enter(bag: Bag): void {
    if (bag === this.#current) return;
    if (this.#current !== undefined) this.#leave(this.#current);
    this.#current = bag;
    this.#sandbox[ACTIVATOR] = bag.activator;
    for (const { holder, key, mine } of bag.changes) {
      this.#put(holder, key, mine);
      if (holder !== this.#global) this.#dirty = true;
    }
  }

  #leave(bag: Bag): void {
    bag.activator = this.#sandbox[ACTIVATOR];
    const changes = this.#globalChanges();
    if (this.#dirty || !this.#prototypesPristine()) this.#addPrototypeChanges(changes);
    for (const { holder, key, pristine } of changes) this.#put(holder, key, pristine);
    this.#dirty = false;
    bag.changes = changes;
  }

  #globalChanges(): Change[] {
    const changes: Change[] = [];
    const holder = this.#global;
    const pristine = this.#globalsPristine();
    if (!pristine) {
      for (const [key, original] of this.#base) {
        const mine = Reflect.getOwnPropertyDescriptor(holder, key);
        if (!same(mine, original)) changes.push({ holder, key, mine, pristine: original });
      }
    }
    const [names, symbols] = [Reflect.ownKeys(this.#sandbox), Object.getOwnPropertySymbols(holder)];
    // Nothing is missing, so as many names as before are the same names.
    if (pristine && names.length === this.#names && symbols.length === this.#symbols) return changes;
    for (const key of [...names, ...symbols]) {
      if (this.#known.has(key)) continue;
      const mine = Reflect.getOwnPropertyDescriptor(holder, key);
      if (mine !== undefined) changes.push({ holder, key, mine, pristine: undefined });
    }
    return changes;
  }

  #addPrototypeChanges(changes: Change[]): void {
    for (const { holder, keys, descriptors, prototype } of this.#tracked) {
      for (const key of new Set([...Reflect.ownKeys(holder), ...keys])) {
        const mine = Reflect.getOwnPropertyDescriptor(holder, key);
        const pristine = descriptors.get(key);
        if (!same(mine, pristine)) changes.push({ holder, key, mine, pristine });
      }
      const value: unknown = Object.getPrototypeOf(holder);
      if (value !== prototype)
        changes.push({ holder, key: PROTOTYPE, mine: { value }, pristine: { value: prototype } });
    }
  }

  #put(holder: object, key: PropertyKey, descriptor: PropertyDescriptor | undefined): void {
    let done: boolean;
    if (key === PROTOTYPE) done = Reflect.setPrototypeOf(holder, descriptor?.value as object | null);
    else if (descriptor === undefined) done = Reflect.deleteProperty(holder, key);
    else done = Reflect.defineProperty(holder, key, descriptor);
    if (!done) this.#spoiled = true;
  }
}

function same(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    Object.is(a.value, b.value) &&
    a.get === b.get &&
    a.set === b.set &&
    a.enumerable === b.enumerable &&
    a.writable === b.writable
  );
}

/** Whether prototypes hold what they held: values, prototypes and number of keys. Not seen: accessors replaced (the definers tell). */
function quickPrototypeCheck(tracked: TrackedPrototype[]): () => boolean {
  const values = quickCheck(tracked.map(({ holder, descriptors }) => [holder, descriptors]));
  const open = tracked.filter((prototype) => prototype.open);
  const holders = open.map(({ holder }) => holder);
  const prototypes = open.map(({ prototype }) => prototype);
  const counts = holders.map(countAssignable);
  return () => {
    if (!values()) return false;
    for (let i = 0; i < holders.length; i++) {
      const holder = holders[i] as object;
      if (Object.getPrototypeOf(holder) !== prototypes[i] || countAssignable(holder) !== counts[i]) return false;
    }
    return true;
  };
}

/** Keys that plain assignment makes: enumerable ones (with inherited ones, which is quicker) and symbols. */
function countAssignable(holder: object): number {
  let count = Object.getOwnPropertySymbols(holder).length;
  for (const _ in holder) count++;
  return count;
}

/** Compares the data properties of some objects: straight-line loads, so that each has its own inline cache. */
function quickCheck(objects: [object, ReadonlyMap<PropertyKey, PropertyDescriptor>][]): () => boolean {
  const values: unknown[] = [];
  const constants: string[] = [];
  const constant = (value: unknown) => {
    constants.push(`const c${values.length} = values[${values.length}];`);
    return `c${values.push(value) - 1}`;
  };
  const terms = objects.flatMap(([holder, descriptors]) => {
    const name = constant(holder);
    return [...descriptors]
      .filter(([, { get, set }]) => get === undefined && set === undefined)
      .map(([key, { value }]) => {
        const access = typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${constant(key)}]`;
        return Number.isNaN(value) ? `Number.isNaN(${name}${access})` : `${name}${access} === ${constant(value)}`;
      });
  });
  return new Function('values', `${constants.join('')} return () => ${terms.join('\n && ')};`)(values) as () => boolean;
}
