/** An assessment as one page that needs nothing else: the table, the reasons, the graph of what is tied to what. */
import type { Assessment } from './assess';
import { groupGraph, type GraphNode } from './graph';
import { atOnce, estimateLines, MEASURED_HEAD, measuredRow, NOT_FOLLOWED, thresholdWords, totals } from './text';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Paths may go on in the next line behind a slash. */
const breakable = (text: string): string => escaped(text).replaceAll('/', '/<wbr>');

const COLOUR = { move: '#1a7f37', 'keep on Temporal': '#9a6700', 'fix first': '#cf222e' } as const;

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1f2328}
table{border-collapse:collapse;width:100%}td,th{overflow-wrap:anywhere;text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d1d9e0;vertical-align:top}
table.types{table-layout:fixed}.types th:nth-child(1){width:30%}.types th:nth-child(2){width:30%}.types th:nth-child(4),.types th:nth-child(5){width:5rem}small{color:#59636e}
code{font-size:13px}svg{max-width:100%;height:auto}b{font-weight:600}ul{margin:.2rem 0;padding-left:1.1rem}`;

export function assessmentPage(assessment: Assessment): string {
  const rows = assessment.workflows.map((workflow) => {
    const { verdict, reasons } = assessment.verdicts.find(({ type }) => type === workflow.type)!;
    const { defined } = workflow;
    const place = defined === undefined ? '' : `<br><small>${breakable(`${defined.path}:${defined.line}`)}</small>`;
    const cells = [
      `<code>${escaped(workflow.type)}</code>${place}`,
      `<b style="color:${COLOUR[verdict]}">${verdict}</b><ul>${reasons.map((reason) => `<li>${breakable(reason)}</li>`).join('')}</ul>`,
      escaped(workflow.activities.join(', ')),
      escaped(atOnce(workflow.fanOut)),
      String(workflow.startedAt.length),
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
<table class="types"><tr><th>Workflow type<th>Verdict<th>Activities<th>At once<th>Started in code</tr>
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

/** Types that nothing ties are counted only. */
function graphPart({ edges, workflows, verdicts }: Assessment): string {
  const groups = [...new Map(verdicts.map(({ group }) => [group.join(' '), group])).values()];
  const tied = groups.filter((group) => group.length > 1);
  const alone = groups.length - tied.length;
  const rest = alone === 0 ? '' : ` ${alone} of ${workflows.length} types are tied to none: each moves alone.`;
  if (tied.length === 0) return '<p>No type starts another one: each moves alone.</p>';
  const legend = Object.entries(COLOUR).map(([verdict, colour]) => `<b style="color:${colour}">● ${verdict}</b>`);
  const nodeOf = (type: string): GraphNode => ({
    type,
    colour: COLOUR[verdicts.find((one) => one.type === type)!.verdict],
  });
  const pictures = tied.map((group) => `<p>${groupGraph(group.map(nodeOf), edges, escaped)}</p>`);
  return `<p>Types with arrows between them move together; an arrow tells, pointed at, where the code says so.${rest} ${legend.join(' ')}</p>
${pictures.join('\n')}`;
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
