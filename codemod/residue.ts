/**
 * What the codemod leaves for a person: `// @branchline-todo(code): reason`, above the line that it is about.
 * Handled or accepted: remove the line, or write `@branchline-ignore` into it or into the line above.
 * Read by the bundler too, so this file imports nothing.
 */
export const TODO = '@branchline-todo';
export const IGNORE = '@branchline-ignore';

export interface Residue {
  code: string;
  reason: string;
  /** From 1. */
  line: number;
}

export const todoLine = (code: string, reason: string): string => `// ${TODO}(${code}): ${reason}`;

/** A line that the codemod wrote, handled or not. */
export const MARKER_LINE = /^[ \t]*\/\/ @branchline-(?:todo|ignore)\([\w-]+\): [^\r\n]*(?:\r?\n|$)/gm;

const MARKER = /(?:\/\/|\/\*|\*|#)\s*@branchline-todo\(([\w-]+)\):?[ \t]*([^\r\n]*?)(?:\s*\*\/)?\s*$/;

/** The markers of a text that nobody has handled yet. */
export function residueIn(text: string): Residue[] {
  if (!text.includes(TODO)) return [];
  const found: Residue[] = [];
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const [, code, reason] = MARKER.exec(line) ?? [];
    if (code === undefined || line.includes(IGNORE) || lines[index - 1]?.includes(IGNORE) === true) return;
    found.push({ code, reason: reason ?? '', line: index + 1 });
  });
  return found;
}
