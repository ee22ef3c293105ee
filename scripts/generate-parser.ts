/**
 * Writes shim/service/visibility/list-filter.generated.ts: the parser that peggy makes of list-filter.peggy. A test checks that it is fresh.
 * `npx tsx scripts/generate-parser.ts`. The parser is committed, so that neither the build nor the package needs peggy.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import peggy from 'peggy';

const folder = path.resolve(__dirname, '../shim/service/visibility');
export const parserFile = path.join(folder, 'list-filter.generated.ts');

export function generateParser(): string {
  const grammar = readFileSync(path.join(folder, 'list-filter.peggy'), 'utf8');
  const source = peggy.generate(grammar, { output: 'source', format: 'es', allowedStartRules: ['Query'] });
  const { code } = transformSync(source, { minify: true, lineLimit: 150, legalComments: 'none', charset: 'ascii' });
  return `// Made of list-filter.peggy by scripts/generate-parser.ts: change it there.\n// @ts-nocheck\n${code}`;
}

if (require.main === module) writeFileSync(parserFile, generateParser());
