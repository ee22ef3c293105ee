/**
 * Every place where a file names a package of Temporal's (or, on the way back, of Branchline's), and what it is there:
 * nothing that names one is passed over.
 */
import type { Direction } from '../packages';
import { type ParsedFile, ts, walk } from './parse';

export interface Mention {
  /** `module`: a specifier that is resolved as one. `value`: a literal that is a package's name, used in a way not known. `words`: in other text. */
  kind: 'module' | 'value' | 'words';
  specifier: string;
  /** Of the specifier, without quotes. */
  start: number;
  end: number;
}

const NEEDLES: Record<Direction, RegExp> = {
  forward: /@temporalio(?=[/\\'"`])/g,
  reverse: /(?<![\w@/.-])branchline(?=[/'"`])/g,
};
const NAMES: Record<Direction, RegExp> = {
  forward: /^@temporalio(?:\/[\w./-]*)?$/,
  reverse: /^branchline\/[\w./-]+$/,
};

export const mentions = (text: string, direction: Direction): boolean => text.search(NEEDLES[direction]) >= 0;

type StringLike = ts.LiteralLikeNode & ts.Node;

export function findMentions(file: ParsedFile, direction: Direction): Mention[] {
  const { ast, text } = file;
  const literals: StringLike[] = [];
  walk(ast, (node) => {
    if (isTextual(node) && mentions(node.getText(ast), direction)) literals.push(node);
  });
  const found = literals.map((literal) => mentionOf(file, literal, direction));
  for (const { index } of text.matchAll(NEEDLES[direction])) {
    if (literals.some((literal) => literal.getStart(ast) <= index && index < literal.end)) continue;
    const inComment = commentMention(text, index, direction);
    if (inComment !== undefined) found.push(inComment);
  }
  return found.sort((a, b) => a.start - b.start);
}

function isTextual(node: ts.Node): node is StringLike {
  return (
    ts.isStringLiteral(node) ||
    ts.isNoSubstitutionTemplateLiteral(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node) ||
    ts.isRegularExpressionLiteral(node) ||
    ts.isJsxText(node)
  );
}

function mentionOf(file: ParsedFile, literal: StringLike, direction: Direction): Mention {
  const { ast, text } = file;
  const start = literal.getStart(ast);
  const inner = { start: start + 1, end: literal.end - 1 };
  const whole = ts.isStringLiteral(literal) || ts.isNoSubstitutionTemplateLiteral(literal);
  // With escapes in it, it could not be told what stood there before.
  const plain = whole && text.slice(inner.start, inner.end) === literal.text;
  const name =
    NAMES[direction].test(literal.text) || (ts.isTemplateHead(literal) && literal.text.startsWith('@temporalio'));
  if (!name) return { kind: 'words', specifier: literal.text, ...inner };
  const kind = plain && isModuleSpecifier(file, literal) ? 'module' : 'value';
  return { kind, specifier: literal.text, ...inner };
}

/** jest's and vitest's functions whose first argument is a module. */
const MOCKS =
  /^(?:mock|unmock|doMock|doUnmock|dontMock|deepUnmock|setMock|requireActual|requireMock|createMockFromModule|genMockFromModule|unstable_mockModule|unstable_unmockModule|importActual|importMock)$/;

function isModuleSpecifier(file: ParsedFile, literal: ts.Node): boolean {
  const { parent } = literal;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return parent.moduleSpecifier === literal;
  if (ts.isExternalModuleReference(parent) || ts.isModuleDeclaration(parent)) return true;
  if (ts.isLiteralTypeNode(parent)) return ts.isImportTypeNode(parent.parent) && parent.parent.argument === parent;
  return ts.isCallExpression(parent) && parent.arguments[0] === literal && isLoader(file, parent.expression);
}

/** `import`, `require`, `require.resolve`, `import.meta.resolve`, `jest.mock`, `vi.mock`, what `createRequire` gave. */
function isLoader(file: ParsedFile, callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return isRequire(file, callee);
  if (!ts.isPropertyAccessExpression(callee)) return false;
  const { expression, name } = callee;
  if (ts.isMetaProperty(expression)) return name.text === 'resolve';
  if (!ts.isIdentifier(expression)) return false;
  if (/^(?:jest|vi|vitest)$/.test(expression.text)) return MOCKS.test(name.text);
  if (expression.text === 'module') return name.text === 'require';
  return name.text === 'resolve' && isRequire(file, expression);
}

export function isRequire({ checker }: ParsedFile, callee: ts.Identifier): boolean {
  const declaration = checker.getSymbolAtLocation(callee)?.declarations?.[0];
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) {
    return callee.text === 'require' && declaration === undefined;
  }
  const made = declaration.initializer;
  return (
    made !== undefined &&
    ts.isCallExpression(made) &&
    /(?:^|\.)createRequire$/.test(made.expression.getText(declaration.getSourceFile()))
  );
}

/** Types in JSDoc and triple-slash references are code; what else a comment says is not. */
function commentMention(text: string, index: number, direction: Direction): Mention | undefined {
  const quote = text[index - 1];
  if (quote !== '"' && quote !== "'" && quote !== '`') return undefined;
  const end = text.indexOf(quote, index);
  const specifier = text.slice(index, end);
  if (end < 0 || !NAMES[direction].test(specifier)) return undefined;
  const before = text.slice(Math.max(0, index - 500), index - 1);
  const inJsDoc = before.lastIndexOf('/**') > before.lastIndexOf('*/');
  const isImport = /import\(\s*$/.test(before) || /@import\s[^'"]*\bfrom\s*$/.test(before);
  if ((inJsDoc && isImport) || /\/\/\/\s*<reference\s+types\s*=\s*$/.test(before)) {
    return { kind: 'module', specifier, start: index, end };
  }
  return undefined;
}
