/** Replacements of spans; everything outside of them stays byte for byte. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** @throws Error when two edits overlap: a fault of a transform */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  let result = '';
  let at = 0;
  for (const { start, end, text: replacement } of sorted) {
    if (start < at) throw new Error(`edits overlap at ${start}`);
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}
