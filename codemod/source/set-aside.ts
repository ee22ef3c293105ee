/** Code that means only Temporal is set aside in a comment, from which the way back takes it exactly as it was. */
const OPEN = '/* @branchline-was ';
const CLOSE = ' */';
const ASIDE = /\/\* @branchline-was ([\s\S]*?) \*\//g;

// A comment inside would end the comment: one backslash more each time, one less on the way back.
const escaped = (code: string): string => code.replace(/\*(\\*)\//g, '*\\$1/');
const unescaped = (code: string): string => code.replace(/\*\\(\\*)\//g, '*$1/');

export const setAside = (code: string): string => `${OPEN}${escaped(code)}${CLOSE}`;

export interface Aside {
  start: number;
  end: number;
  code: string;
}

export function findAsides(text: string): Aside[] {
  return [...text.matchAll(ASIDE)].map(({ 0: whole, 1: code = '', index }) => ({
    start: index,
    end: index + whole.length,
    code: unescaped(code),
  }));
}
