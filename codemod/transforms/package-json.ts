/** The dependencies of a package.json: Temporal's packages with a drop-in give way to `branchline`, and come back by what was recorded. */
import { DROP_INS } from '../packages';
import { applyEdits, type Edit } from '../source/edits';
import { objectAt, parseJson, propertiesOf, rootObject } from '../source/json-text';
import { positionOf, ts } from '../source/parse';

const SECTIONS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'] as const;
type Section = (typeof SECTIONS)[number];

/** Section → name → version, in the order of the file. */
export type Dependencies = Partial<Record<Section, Record<string, string>>>;

export interface PackageResult {
  text: string;
  removed: Dependencies;
  added: Dependencies;
}

const OURS = 'branchline';

/**
 * @param needed packages that the code still imports after the move
 * @param imported code imports Branchline: it is asked for though none of Temporal's may go
 * @throws SyntaxFault
 */
export function moveDependencies(
  path: string,
  text: string,
  version: string,
  needed: ReadonlySet<string>,
  imported = false,
): PackageResult {
  const goes = (name: string): boolean => DROP_INS.some((door) => name === `@temporalio/${door}`) && !needed.has(name);
  let there = false;
  const moved = replaceIn(path, text, (entries, section): Decision | undefined => {
    const removed = entries.filter(({ name }) => goes(name));
    there ||= entries.some(({ name }) => name === OURS);
    if (removed.length === 0) return undefined;
    // Once is enough for what is installed; peers are another question.
    const add = section === 'peerDependencies' ? !entries.some(({ name }) => name === OURS) : !there;
    there ||= add && section !== 'peerDependencies';
    return { removed: removed.map(({ name }) => name), added: add ? { [OURS]: version } : {} };
  });
  if (there || !imported) return moved;
  const { text: asking, added } = addDependency(path, moved.text, version);
  return { ...moved, text: asking, added };
}

/** Ranges of Temporal's packages that begin below a version (`1.23.0`), with the line; what is no plain range is let be. @throws SyntaxFault */
export function olderThan(path: string, text: string, lowest: string): { name: string; range: string; line: number }[] {
  const ast = parseJson(path, text);
  const root = rootObject(ast);
  const number = (version: string): number | undefined => {
    const [, major, minor] = /^[\^~>=v\s]*(\d+)\.(\d+)/.exec(version) ?? [];
    return major === undefined ? undefined : Number(major) * 10_000 + Number(minor);
  };
  return SECTIONS.flatMap((section) => {
    const object = objectAt(root, section);
    return (object === undefined ? [] : propertiesOf(object)).flatMap(({ name, node }) => {
      if (!DROP_INS.some((door) => name === `@temporalio/${door}`)) return [];
      const range = ts.isStringLiteral(node.initializer) ? node.initializer.text : '';
      const asked = number(range);
      if (asked === undefined || asked >= number(lowest)!) return [];
      return [{ name, range, line: positionOf(ast, node.getStart(ast)).line }];
    });
  });
}

/** Where Temporal's packages are asked for, else with the other dependencies. @throws SyntaxFault */
export function addDependency(path: string, text: string, version: string): PackageResult {
  const root = rootObject(parseJson(path, text));
  const names = (section: Section): string[] => {
    const object = objectAt(root, section);
    return object === undefined ? [] : propertiesOf(object).map(({ name }) => name);
  };
  const place =
    SECTIONS.find((section) => names(section).some((name) => name.startsWith('@temporalio/'))) ?? 'dependencies';
  // Installed for development, as the command is, it would be missing where the code runs.
  const installed = SECTIONS.filter((section) => section !== 'devDependencies' || place === 'devDependencies');
  if (installed.some((section) => names(section).includes(OURS))) return { text, removed: {}, added: {} };
  const added = { [OURS]: version };
  if (objectAt(root, place) === undefined)
    return { text: withSection(path, text, place, added), removed: {}, added: { [place]: added } };
  return replaceIn(path, text, (_, section) => (section === place ? { removed: [], added } : undefined));
}

/**
 * @param recorded what the move had removed
 * @param keepsOurs code that could not be moved back still imports Branchline
 * @throws SyntaxFault
 */
export function restoreDependencies(
  path: string,
  text: string,
  recorded: Dependencies,
  keepsOurs = false,
): PackageResult {
  const seen = new Set<Section>();
  const restored = replaceIn(path, text, (entries, section) => {
    seen.add(section);
    const there = new Set(entries.map(({ name }) => name));
    const missing = Object.entries(recorded[section] ?? {}).filter(([name]) => !there.has(name));
    const goes = there.has(OURS) && !keepsOurs;
    if (missing.length === 0 && !goes) return undefined;
    return { removed: goes ? [OURS] : [], added: Object.fromEntries(missing) };
  });
  // npm takes out sections that the move has left empty.
  for (const section of SECTIONS) {
    const entries = recorded[section] ?? {};
    if (seen.has(section) || Object.keys(entries).length === 0) continue;
    restored.text = withSection(path, restored.text, section, entries);
    restored.added[section] = entries;
  }
  return restored;
}

/** The text with one more section at its end, indented as the others are. */
function withSection(path: string, text: string, section: Section, entries: Record<string, string>): string {
  const ast = parseJson(path, text);
  const root = rootObject(ast);
  if (root === undefined) return text;
  const first = root.properties[0];
  const last = root.properties.at(-1);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = (first && /\n([ \t]*)$/.exec(text.slice(0, first.getStart(ast)))?.[1]) ?? '  ';
  const lines = JSON.stringify(entries, null, indent).split('\n').join(`${newline}${indent}`);
  const added = `${last === undefined ? '' : ','}${newline}${indent}"${section}": ${lines}`;
  const at = last?.end ?? root.getStart(ast) + 1;
  return applyEdits(text, [{ start: at, end: at, text: last === undefined ? added + newline : added }]);
}

interface Entry {
  name: string;
  version: string;
  /** Blanks (and, in JSONC, comments) since the comma or brace before. */
  before: string;
  text: string;
}

type Decision = { removed: string[]; added: Record<string, string> };

function replaceIn(
  path: string,
  text: string,
  decide: (entries: Entry[], section: Section) => Decision | undefined,
): PackageResult {
  const ast = parseJson(path, text);
  const root = rootObject(ast);
  const edits: Edit[] = [];
  const removed: Dependencies = {};
  const added: Dependencies = {};
  for (const section of SECTIONS) {
    const object = objectAt(root, section);
    if (object === undefined) continue;
    const entries = entriesOf(ast, object, text);
    const decision = decide(entries, section);
    if (decision === undefined) continue;
    const gone = entries.filter(({ name }) => decision.removed.includes(name));
    removed[section] = Object.fromEntries(gone.map(({ name, version }) => [name, version]));
    if (Object.keys(decision.added).length > 0) added[section] = decision.added;
    const start = object.getStart(ast) + 1;
    const blank = text.slice(start, object.end - 1);
    const first = entries[0]?.before ?? (blank.includes('\n') ? `${blank}  ` : ' ');
    edits.push({ start, end: object.properties.at(-1)?.end ?? start, text: rebuilt(entries, decision, first) });
  }
  return { text: applyEdits(text, edits), removed, added };
}

function entriesOf(ast: ts.JsonSourceFile, object: ts.ObjectLiteralExpression, text: string): Entry[] {
  let from = object.getStart(ast) + 1;
  return propertiesOf(object).map(({ name, node }) => {
    const start = node.getStart(ast);
    const entry = {
      name,
      version: ts.isStringLiteral(node.initializer) ? node.initializer.text : '',
      before: text.slice(from, start),
      text: text.slice(start, node.end),
    };
    from = text.indexOf(',', node.end) + 1;
    return entry;
  });
}

/** @param start the blanks before the first entry */
function rebuilt(entries: Entry[], { removed, added }: Decision, start: string): string {
  const first = entries.findIndex(({ name }) => removed.includes(name));
  const before = entries[first]?.before ?? start;
  const news = Object.entries(added).map(([name, version]) => ({
    name,
    version,
    before,
    text: `${JSON.stringify(name)}: ${JSON.stringify(version)}`,
  }));
  const kept = entries.filter(({ name }) => !removed.includes(name));
  const inOrder = isSorted(entries.map(({ name }) => name));
  for (const [index, entry] of news.entries()) {
    const later = inOrder
      ? kept.findIndex(({ name }) => name > entry.name)
      : Math.max(0, Math.min(first + index, kept.length));
    kept.splice(later < 0 ? kept.length : later, 0, entry);
  }
  // The first entry of a one-line object and of others starts as the first one did.
  const [head] = kept;
  if (head !== undefined) head.before = start;
  return kept.map((entry) => entry.before + entry.text).join(',');
}

const isSorted = (names: string[]): boolean =>
  names.every((name, index) => index === 0 || (names[index - 1] ?? '') <= name);
