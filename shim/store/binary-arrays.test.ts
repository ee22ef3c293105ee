import { describe, expect, it } from 'vitest';
import { int4Array, int8Array, textArray, uuidArray } from './binary-arrays';

describe('binary arrays', () => {
  it('have the form that Postgres sends itself', () => {
    expect(int4Array([1, null]).toString('hex')).toBe(
      ['00000001', '00000001', '00000017', '00000002', '00000001', '00000004', '00000001', 'ffffffff'].join(''),
    );
    expect(textArray([]).toString('hex')).toBe(['00000000', '00000000', '00000019'].join(''));
    expect(textArray(['é']).subarray(20).toString('hex')).toBe('00000002c3a9');
  });

  it('hold whole numbers up to 2^53 and decimal strings beyond', () => {
    const numbers = [0, 1, -1, 4294967296, 2 ** 53 - 1, -(2 ** 40), '9223372036854775807'];
    const buffer = int8Array(numbers);
    expect(numbers.map((_, i) => buffer.readBigInt64BE(24 + 12 * i))).toEqual(numbers.map(BigInt));
  });

  it('refuse what is no UUID', () => {
    expect(() => uuidArray(['not-a-uuid'])).toThrow(/Not a UUID: not-a-uuid/);
    expect(uuidArray(['01a1fb69-4e44-71f5-b59b-213cf4a60029']).subarray(24).toString('hex')).toBe(
      '01a1fb694e4471f5b59b213cf4a60029',
    );
  });
});
