/** Unified diffs that `git apply` takes. */
import { structuredPatch } from 'diff';

/** `undefined`: the file is not there before, or after. Paths relative to where the patch is applied, with `/`. */
export function unifiedDiff(file: string, before: string | undefined, after: string | undefined): string {
  const { hunks } = structuredPatch('', '', before ?? '', after ?? '', undefined, undefined, { context: 3 });
  const head = [
    `diff --git ${quoted(`a/${file}`)} ${quoted(`b/${file}`)}`,
    ...(before === undefined ? ['new file mode 100644'] : []),
    ...(after === undefined ? ['deleted file mode 100644'] : []),
    `--- ${before === undefined ? '/dev/null' : quoted(`a/${file}`)}`,
    `+++ ${after === undefined ? '/dev/null' : quoted(`b/${file}`)}`,
  ];
  const body = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
  return `${[...head, ...body].join('\n')}\n`;
}

/** As git writes names that are not plain: in quotes, bytes beyond ASCII in octal. */
function quoted(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name) && !/["\\]/.test(name)) return name;
  const bytes = [...Buffer.from(name, 'utf8')].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}
