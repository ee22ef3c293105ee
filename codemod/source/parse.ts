/** Source text as a syntax tree with the bindings of the one file. The only place that knows of a ts-morph project. */
import { Project, ts } from 'ts-morph';

export interface ParsedFile {
  /** As given by the caller; only its extension matters here. */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
  readonly checker: ts.TypeChecker;
}

export const CODE_FILE = /\.(?:[cm]?ts|tsx|[cm]?js|jsx)$/;

/** Line and column from 1, for people. */
export interface Position {
  line: number;
  column: number;
}

export class SyntaxFault extends Error {
  constructor(
    readonly at: Position,
    message: string,
  ) {
    super(message);
  }
}

// Files are looked at one by one: nothing is resolved or read from the disk, so memory does not grow with the repository.
const options: ts.CompilerOptions = {
  allowJs: true,
  noLib: true,
  noResolve: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  jsx: ts.JsxEmit.Preserve,
  types: [],
};

/** @throws SyntaxFault for text that does not parse */
export function withParsed<R>(path: string, text: string, use: (file: ParsedFile) => R): R {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true, compilerOptions: options });
  const name = `/file${/(?:\.d)?\.\w+$/.exec(path)?.[0] ?? '.ts'}`;
  const source = project.createSourceFile(name, text);
  const ast = source.compilerNode;
  const [fault] = (ast as unknown as { parseDiagnostics: ts.DiagnosticWithLocation[] }).parseDiagnostics;
  if (fault !== undefined) {
    throw new SyntaxFault(positionOf(ast, fault.start), ts.flattenDiagnosticMessageText(fault.messageText, ' '));
  }
  let checker: ts.TypeChecker | undefined;
  return use({
    path,
    text,
    ast,
    get checker() {
      return (checker ??= project.getTypeChecker().compilerObject);
    },
  });
}

export function positionOf(ast: ts.SourceFile, offset: number): Position {
  const { line, character } = ast.getLineAndCharacterOfPosition(offset);
  return { line: line + 1, column: character + 1 };
}

/** Every node below, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  ts.forEachChild(node, (child) => {
    visit(child);
    walk(child, visit);
  });
}

/** The innermost token or literal that covers the offset (not counting the comments before it); undefined in comments and blanks. */
export function tokenAt(ast: ts.SourceFile, offset: number): ts.Node | undefined {
  let node: ts.Node = ast;
  for (;;) {
    const inner: ts.Node | undefined = ts.forEachChild(node, (child) =>
      child.getStart(ast) <= offset && offset < child.end ? child : undefined,
    );
    if (inner === undefined) break;
    node = inner;
  }
  return isLeaf(node) ? node : undefined;
}

const isLeaf = (node: ts.Node): boolean =>
  ts.isLiteralExpression(node) ||
  ts.isTemplateHead(node) ||
  ts.isTemplateMiddle(node) ||
  ts.isTemplateTail(node) ||
  ts.isJsxText(node) ||
  ts.isIdentifier(node) ||
  ts.isPrivateIdentifier(node);

export { ts };
