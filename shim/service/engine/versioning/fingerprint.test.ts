import { describe, expect, it } from 'vitest';
import { fingerprint32 } from './fingerprint';

// Printed by github.com/dgryski/go-farm, which Temporal's server uses.
const printed: [string, number][] = [
  ['', 3696677242],
  ['a', 1016544589],
  ['abc', 795041479],
  ['ordr', 3035918488],
  ['order', 1747953151],
  ['order-12345', 3737605724],
  ['order-1234567', 3387610028],
  ['an id of 24 characters!!!', 101228957],
  ['workflow-0b6f5a0e-8f0f-4b52-9d0c-2d6f2f8c7f10', 2569787875],
  ['ünïcödé', 4231429496],
  ['日本語のワークフロー', 1855149545],
  [`${'x'.repeat(200)}y`, 1047258154],
];

describe('the fingerprint of a workflow id', () => {
  it.each(printed)('is what the server makes of %s', (text, fingerprint) => {
    expect(fingerprint32(text)).toBe(fingerprint);
  });
});
