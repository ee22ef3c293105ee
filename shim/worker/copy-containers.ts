/** A copy whose objects may be changed; bytes are shared. Payload objects also live in the history of the service. */
export function copyContainers<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(copyContainers) as T;
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>;
  for (const [key, entry] of Object.entries(value)) copy[key] = copyContainers(entry);
  return copy as T;
}
