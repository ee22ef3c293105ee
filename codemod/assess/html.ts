/** An assessment as one page that needs nothing else: the table, the reasons, the graph of what is tied to what. */
import type { Assessment } from './assess';
import { atOnce, estimateLines, MEASURED_HEAD, measuredRow, NOT_FOLLOWED, thresholdWords, totals } from './text';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const COLOUR = { move: '#1a7f37', 'keep on Temporal': '#9a6700', 'fix first': '#cf222e' } as const;

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1f2328}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d1d9e0;vertical-align:top}
code{font-size:13px}svg{max-width:100%;height:auto}b{font-weight:600}ul{margin:.2rem 0;padding-left:1.1rem}`;

export function assessmentPage(assessment: Assessment): string {
  const rows = assessment.workflows.map((workflow) => {
    const { verdict, reasons } = assessment.verdicts.find(({ type }) => type === workflow.type)!;
    const cells = [
      `<code>${escaped(workflow.type)}</code>`,
      `<b style="color:${COLOUR[verdict]}">${verdict}</b><ul>${reasons.map((reason) => `<li>${escaped(reason)}</li>`).join('')}</ul>`,
      escaped(workflow.activities.join(', ')),
      escaped(atOnce(workflow.fanOut)),
      String(workflow.startedAt.length),
      workflow.defined === undefined
        ? ''
        : `<code>${escaped(`${workflow.defined.path}:${workflow.defined.line}`)}</code>`,
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const refused = assessment.unsupported.map(
    ({ path, line, reason }) => `<li><code>${escaped(`${path}:${line}`)}</code> ${escaped(reason)}</li>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Assessment of ${escaped(assessment.root)}</title><style>${STYLE}</style>
<h1>Which workflows move to Postgres</h1>
<p>${escaped(totals(assessment))} Folder: <code>${escaped(assessment.root)}</code></p>
<p>${escaped(thresholdWords(assessment))}</p>
<table><tr><th>Workflow type<th>Verdict<th>Activities<th>At once<th>Starts<th>Defined</tr>
${rows.join('\n')}
</table>
${measuredPart(assessment)}
<h2>What is tied to what</h2>
${graphPart(assessment)}
<h2>Refused by Branchline</h2>
${refused.length === 0 ? '<p>Nothing.</p>' : `<ul>${refused.join('')}</ul>`}
${listed(
  'Not followed',
  NOT_FOLLOWED,
  assessment.notFollowed.map(({ path, line }) => `${path}:${line}`),
)}
${listed(
  'Not read',
  'Files that could not be read:',
  assessment.failed.map(({ path, reason }) => `${path}: ${reason}`),
)}
</html>
`;
}

const listed = (title: string, words: string, items: string[]): string =>
  items.length === 0
    ? ''
    : `<h2>${title}</h2><p>${escaped(words)}</p><ul>${items.map((item) => `<li><code>${escaped(item)}</code></li>`).join('')}</ul>`;

/** Types that nothing ties would only make it larger. */
function graphPart(assessment: Assessment): string {
  const { edges, workflows } = assessment;
  const known = new Set(workflows.map(({ type }) => type));
  const ends = edges.filter(({ from, to }) => known.has(from) && known.has(to)).flatMap(({ from, to }) => [from, to]);
  const tied = workflows.filter(({ type }) => ends.includes(type));
  const alone = workflows.length - tied.length;
  const rest = alone === 0 ? '' : ` ${alone} ${alone === 1 ? 'type is' : 'types are'} tied to none.`;
  if (tied.length === 0) return '<p>No type starts or reaches another one: each moves alone.</p>';
  const legend = Object.entries(COLOUR).map(([verdict, colour]) => `<b style="color:${colour}">● ${verdict}</b>`);
  return `<p>Types with an arrow between them move together; pointing at an arrow shows where the code says so.${rest} ${legend.join(' ')}</p>
${graph(assessment, new Set(tied.map(({ type }) => type)))}`;
}

function measuredPart({ measured, estimate }: Assessment): string {
  if (measured === undefined) return '';
  const cells = (tag: string, row: string[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}`).join('')}</tr>`;
  const rows = Object.entries(measured.types).map(([type, one]) => cells('td', measuredRow(type, one)));
  return `<h2>Measured in namespace ${escaped(measured.namespace)}</h2>
<table>${cells('th', MEASURED_HEAD)}
${rows.join('\n')}
</table>${estimate === undefined ? '' : `<p>${escaped(estimateLines(estimate).join(' '))}</p>`}`;
}

/** Types on a circle, in the order of their groups, so that what is tied stands close. */
function graph({ workflows, edges, verdicts }: Assessment, shown: ReadonlySet<string>): string {
  const order = [...new Set(verdicts.flatMap(({ group }) => group))].filter((type) => shown.has(type));
  const radius = Math.max(120, order.length * 16);
  // Names stand beside the circle.
  const [width, height] = [2 * radius + 480, 2 * radius + 60];
  const centre = { x: width / 2, y: height / 2 };
  const place = new Map(
    order.map((type, index) => {
      const angle = (2 * Math.PI * index) / order.length - Math.PI / 2;
      return [
        type,
        { x: centre.x + radius * Math.cos(angle), y: centre.y + radius * Math.sin(angle), right: Math.cos(angle) >= 0 },
      ];
    }),
  );
  const lines = edges.flatMap(({ from, to, how, path, line }) => {
    const [a, b] = [place.get(from), place.get(to)];
    if (a === undefined || b === undefined) return [];
    const title = `<title>${escaped(`${from} → ${to}: ${how}, ${path}:${line}`)}</title>`;
    const [mx, my] = [(a.x + b.x + 2 * centre.x) / 4, (a.y + b.y + 2 * centre.y) / 4];
    return `<path d="M${a.x.toFixed(1)},${a.y.toFixed(1)} Q${mx.toFixed(1)},${my.toFixed(1)} ${b.x.toFixed(1)},${b.y.toFixed(1)}" fill="none" stroke="#59636e" marker-end="url(#to)">${title}</path>`;
  });
  const nodes = workflows
    .filter(({ type }) => shown.has(type))
    .map(({ type }) => {
      const { x, y, right } = place.get(type)!;
      const verdict = verdicts.find((one) => one.type === type)!.verdict;
      return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="6" fill="${COLOUR[verdict]}"/><text x="${(x + (right ? 10 : -10)).toFixed(1)}" y="${(y + 4).toFixed(1)}" text-anchor="${right ? 'start' : 'end'}" font-size="13">${escaped(type)}</text>`;
    });
  return `<svg width="${width}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Boundary graph"><defs><marker id="to" viewBox="0 0 8 8" refX="14" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#59636e"/></marker></defs>
${lines.join('\n')}
${nodes.join('\n')}
</svg>`;
}
