/** Each fixture: there, there again, and back. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { noModules } from '../source/origins';
import { transformCode } from './index';

const folder = path.join(__dirname, 'fixtures');
const inputs = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('.input.'))
  .sort();
const transform = (name: string, text: string, direction: 'forward' | 'reverse'): string =>
  transformCode(name, text, { direction, modules: noModules }).text;

describe.each(inputs)('%s', (name) => {
  const before = readFileSync(path.join(folder, name), 'utf8');
  const first = transform(name, before, 'forward');

  it('becomes its output', async () => {
    await expect(first).toMatchFileSnapshot(path.join(folder, name.replace('.input.', '.output.')));
  });

  it('stays as it is the second time', () => {
    expect(transform(name, first, 'forward')).toBe(first);
  });

  it('comes back byte for byte', () => {
    expect(transform(name, first, 'reverse')).toBe(before);
  });

  it('does so with Windows line ends too', () => {
    const windows = before.replaceAll('\n', '\r\n');
    const there = transform(name, windows, 'forward');
    expect(there).toBe(first.replaceAll('\n', '\r\n'));
    expect(transform(name, there, 'reverse')).toBe(windows);
  });
});
