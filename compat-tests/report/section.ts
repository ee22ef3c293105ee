/** Parts of a page that a program writes: between `<!-- TITLE -->` and `<!-- end of WORD -->`, where WORD is the title's up to its colon. */
import { readFileSync, writeFileSync } from 'node:fs';

/** @throws Error when the page has no such lines */
export function writeSection(page: string, title: string, content: string): void {
  const [begin, end] = [`<!-- ${title} -->`, `<!-- end of ${title.split(':')[0]} -->`];
  const [before, rest] = readFileSync(page, 'utf8').split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${page} has no lines '${begin}' and '${end}'`);
  writeFileSync(page, `${before}${begin}\n${content}\n${end}${after}`);
}
