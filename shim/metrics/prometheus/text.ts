/** Prometheus's text exposition format, version 0.0.4. */
import type { Family, Labels, Sample } from './registry';

export const CONTENT_TYPE = 'text/plain; version=0.0.4';

const escapeValue = (text: string): string => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
const escapeHelp = (text: string): string => text.replace(/[\\\n]/g, (c) => (c === '\n' ? '\\n' : '\\\\'));

/** @param globalTags stand after the series' own labels; a series' own wins */
export function exposition(families: Family[], globalTags: Record<string, string>): string {
  const global = Object.entries(globalTags).sort(([a], [b]) => (a < b ? -1 : 1));
  let text = '';
  for (const family of families) {
    text += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`;
    const samples = [...family.samples].sort(inOrder);
    for (const sample of samples) text += lines(family, sample, global);
  }
  return text;
}

function inOrder(a: Sample, b: Sample): number {
  if (a.labels.length !== b.labels.length) return a.labels.length - b.labels.length;
  for (let i = 0; i < a.labels.length; i++) {
    const [left, right] = [a.labels[i]![1], b.labels[i]![1]];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function lines({ name, buckets }: Family, { labels, value }: Sample, global: Labels): string {
  const own = new Set(labels.map(([label]) => label));
  const all = [...labels, ...global.filter(([label]) => !own.has(label))];
  if (typeof value === 'number') return `${name}${braces(all)} ${numberText(value)}\n`;
  let text = '';
  let total = 0;
  value.counts.forEach((count, i) => {
    total += count;
    const bound = i < buckets.length ? String(buckets[i]) : '+Inf';
    text += `${name}_bucket${braces([...all, ['le', bound]])} ${total}\n`;
  });
  return `${text}${name}_sum${braces(all)} ${numberText(value.sum)}\n${name}_count${braces(all)} ${total}\n`;
}

function braces(labels: Labels): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${escapeValue(value)}"`).join(',')}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}
