/** Replaces, in a shared context, the functions that define and seal properties, so that what a run does can be undone. */
import vm from 'node:vm';

export interface DefinerHooks {
  /** Whether all runs of the context share the object. */
  isShared(target: object): boolean;
  /** A shared object was changed in a way that reading its known properties does not tell. */
  changed(): void;
}

/**
 * On shared objects, `defineProperty` and its like leave properties configurable, and freezing or sealing is refused.
 * On all others they do what they always do.
 */
export function replaceDefiners(context: vm.Context, hooks: DefinerHooks): void {
  (script.runInContext(context) as (hooks: DefinerHooks) => void)(hooks);
}

const script = new vm.Script(
  `(({ isShared, changed }) => {
  const { apply, ownKeys, getOwnPropertyDescriptor } = Reflect;
  const define = Reflect.defineProperty;
  const SharedTypeError = TypeError;
  const replace = (holder, name, make) => {
    const descriptor = getOwnPropertyDescriptor(holder, name);
    define(holder, name, { ...descriptor, value: make(descriptor.value)[name] });
  };
  const removable = (descriptor) => {
    const copy = { __proto__: null, configurable: true };
    // No iteration: it could run what a workflow put on an iterator's prototype.
    for (let i = 0; i < fields.length; i++) if (fields[i] in descriptor) copy[fields[i]] = descriptor[fields[i]];
    return copy;
  };
  const fields = ['enumerable', 'writable', 'value', 'get', 'set'];
  for (const holder of [Object, Reflect]) {
    replace(holder, 'defineProperty', (native) => ({
      defineProperty(target, key, descriptor) {
        if (!isShared(target) || typeof descriptor !== 'object' || descriptor === null) return native(target, key, descriptor);
        changed();
        return native(target, key, removable(descriptor));
      },
    }));
    replace(holder, 'setPrototypeOf', (native) => ({
      setPrototypeOf(target, prototype) {
        if (isShared(target)) changed();
        return native(target, prototype);
      },
    }));
  }
  const { defineProperty } = Object;
  replace(Object, 'defineProperties', (native) => ({
    defineProperties(target, properties) {
      if (!isShared(target)) return native(target, properties);
      const keys = ownKeys(properties);
      for (let i = 0; i < keys.length; i++) {
        if (getOwnPropertyDescriptor(properties, keys[i])?.enumerable) defineProperty(target, keys[i], properties[keys[i]]);
      }
      return target;
    },
  }));
  for (const name of ['__defineGetter__', '__defineSetter__']) {
    replace(Object.prototype, name, (native) => ({
      [name](key, accessor) {
        if (isShared(this)) changed();
        return apply(native, this, [key, accessor]);
      },
    }));
  }
  for (const [holder, name] of [[Object, 'freeze'], [Object, 'seal'], [Object, 'preventExtensions'], [Reflect, 'preventExtensions']]) {
    replace(holder, name, (native) => ({
      [name](target) {
        if (isShared(target)) {
          throw new SharedTypeError(name + ' of an object that all workflows of this worker share: set the worker option reuseV8Context to false');
        }
        return native(target);
      },
    }));
  }
})`,
  { filename: 'branchline-definers' },
);
