/** Imported names that nothing uses any more are set aside: compilers and linters refuse them. */
import type { Edit } from '../source/edits';
import { type ParsedFile, ts, walk } from '../source/parse';
import { setAside } from '../source/set-aside';

/** @param replaced the nodes that gave way to others */
export function unusedImports({ ast, checker, text }: ParsedFile, replaced: ReadonlySet<ts.Node>): Edit[] {
  const edits: Edit[] = [];
  walk(ast, (node) => {
    if (!ts.isImportSpecifier(node)) return;
    const symbol = checker.getSymbolAtLocation(node.name);
    const uses = { gone: 0, left: 0 };
    walk(ast, (other) => {
      if (!ts.isIdentifier(other) || other.text !== node.name.text || other.parent === node) return;
      const { parent } = other;
      const means = ts.isShorthandPropertyAssignment(parent)
        ? checker.getShorthandAssignmentValueSymbol(parent)
        : ts.isExportSpecifier(parent)
          ? checker.getExportSpecifierLocalTargetSymbol(parent)
          : checker.getSymbolAtLocation(other);
      if (means === symbol) uses[replaced.has(other) ? 'gone' : 'left'] += 1;
    });
    if (uses.gone === 0 || uses.left > 0) return;
    const start = node.getStart(ast);
    const comma = /^\s*,/.exec(text.slice(node.end));
    const end = node.end + (comma?.[0].length ?? 0);
    edits.push({ start, end, text: setAside(text.slice(start, end)) });
  });
  return edits;
}
