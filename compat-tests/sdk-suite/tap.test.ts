import { expect, it } from 'vitest';
import { readTap } from './tap';

it('counts the tests of a file, without its hooks and what was skipped', () => {
  const text = [
    'TAP version 13',
    '# before hook',
    'ok 1 - starts › twice',
    'not ok 2 - ends',
    '  ---',
    '    message: ok 7 - this is no test',
    '  ...',
    'ok 3 - later # SKIP',
    'not ok 4 - after.always hook',
    '1..3',
  ].join('\n');
  expect(readTap(text)).toEqual({ passed: 1, failed: ['ends'] });
});

it('finds nothing in the output of a file that broke before its first test', () => {
  expect(readTap('TAP version 13\nnot ok 1 - No tests found in test-x.js\n1..0\n').passed).toBe(0);
});
