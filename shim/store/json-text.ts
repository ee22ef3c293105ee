/**
 * JSON texts that Postgres can hold and its JSON functions can read. They fail on the character NUL and on lone surrogates, anywhere in a
 * text: one such failure message would keep a dead process's run from being freed.
 */

// eslint-disable-next-line no-control-regex -- they are what is looked for
const plain = /^[^\u0000-\u001f"\\\ud800-\udfff\uf8f0]*$/;
const loneSurrogate = /\p{Surrogate}/u;

/** Stands before `0` for NUL and before `1` for itself. A private-use character that nobody uses. */
const mark = '\uf8f0';

/** A string as JSON. NUL is kept under a mark (`parse` undoes it); lone surrogates become U+FFFD, as protobuf has it. */
export function quote(text: string): string {
  if (text.length < 100 && plain.test(text)) return '"' + text + '"';
  const json = JSON.stringify(text);
  if (!json.includes('\\u') && !json.includes(mark)) return json;
  let safe = text.replaceAll(mark, mark + '1').replaceAll('\0', mark + '0');
  if (loneSurrogate.test(safe)) safe = safe.replace(/\p{Surrogate}/gu, '\ufffd');
  return JSON.stringify(safe);
}

/** JSON.parse for texts whose strings were written by `quote`. */
export function parse(json: string): unknown {
  const value: unknown = JSON.parse(json);
  return json.includes(mark) ? unmarked(value) : value;
}

function unmarked(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\uf8f0(.)/g, (_, which) => (which === '0' ? '\0' : mark));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unmarked);
  const object: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) setOwn(object, unmarked(key) as string, unmarked(member));
  return object;
}

/** Assignment that also holds for the key `__proto__`. */
export function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
