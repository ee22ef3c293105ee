/** Why tests of the suite fail that pass on a real server: one entry per test, found by a part of its title. */

interface Reason {
  file: string;
  /** Part of the title; '' for every test of the file. */
  title: string;
  reason: string;
}

const reasons: Reason[] = [];

export function reasonFor(file: string, title: string): string {
  const found = reasons.find((one) => one.file === file && title.includes(one.title));
  return found?.reason ?? 'Not explained yet.';
}
