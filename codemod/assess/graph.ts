/** What is tied to what, drawn: one picture for each group of types that move together, what starts others to the left of them. */
import type { Edge } from './facts';

export interface GraphNode {
  type: string;
  colour: string;
}

const ROW = 30;
const LETTER = 7.85;
const MARGIN = 14;
const GAP = 90;

/** @param escaped for text in XML */
export function groupGraph(
  nodes: readonly GraphNode[],
  all: readonly Edge[],
  escaped: (text: string) => string,
): string {
  const types = new Set(nodes.map(({ type }) => type));
  const edges = all.filter(({ from, to }) => from !== to && types.has(from) && types.has(to));
  const columns = columnsOf([...types], edges);
  const place = new Map<string, { x: number; y: number; end: number }>();
  let x = MARGIN;
  for (const column of columns) {
    const wide = Math.max(...column.map((type) => type.length)) * LETTER + 16;
    column.forEach((type, row) => place.set(type, { x, y: MARGIN + row * ROW, end: x + type.length * LETTER + 16 }));
    x += wide + GAP;
  }
  const width = Math.ceil(x - GAP + MARGIN);
  const height = Math.max(...columns.map((column) => column.length)) * ROW + MARGIN;
  const lines = edges.map(({ from, to, how, path, line }) => {
    const [a, b] = [place.get(from)!, place.get(to)!];
    const [start, end] = a.x < b.x ? [a.end, b.x - 10] : [a.end, b.end + 4];
    const bend = Math.max(40, Math.abs(end - start) / 2);
    const to2 = a.x < b.x ? end - bend : end + bend;
    const title = `<title>${escaped(`${from} → ${to}: ${how}, ${path}:${line}`)}</title>`;
    return `<path d="M${start.toFixed(1)},${a.y} C${(start + bend).toFixed(1)},${a.y} ${to2.toFixed(1)},${b.y} ${end.toFixed(1)},${b.y}" fill="none" stroke="#59636e" stroke-width="1.5" marker-end="url(#to)">${title}</path>`;
  });
  const names = nodes.map(({ type, colour }) => {
    const at = place.get(type)!;
    return `<circle cx="${at.x.toFixed(1)}" cy="${at.y}" r="6" fill="${colour}"/><text x="${(at.x + 11).toFixed(1)}" y="${at.y + 4}" font-size="13" font-family="ui-monospace,monospace">${escaped(type)}</text>`;
  });
  return `<svg width="${width}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped([...types].join(', '))}"><defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#59636e"/></marker></defs>
${[...lines, ...names].join('\n')}
</svg>`;
}

/** What nothing starts is in the first column, what those start in the second; of a circle, what starts most is taken for the first. */
function columnsOf(types: readonly string[], edges: readonly Edge[]): string[][] {
  const columns: string[][] = [];
  const left = new Set(types);
  while (left.size > 0) {
    const free = [...left].filter((type) => !edges.some(({ from, to }) => to === type && left.has(from)));
    const starts = (type: string): number => edges.filter(({ from, to }) => from === type && left.has(to)).length;
    const column = free.length > 0 ? free : [...left].sort((a, b) => starts(b) - starts(a)).slice(0, 1);
    columns.push(column);
    for (const type of column) left.delete(type);
  }
  return columns;
}
