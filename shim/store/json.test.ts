import { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import Long from 'long';
import { describe, expect, it } from 'vitest';
import { messageSize } from '../service/engine/size';
import { fromJson, toJson } from './json';

const { Payload } = temporal.api.common.v1;

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
);
const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('$text', '$base64', '$payload', '$', '__proto__', 'constructor'),
);
const payload = fc.record(
  {
    metadata: fc.dictionary(fc.oneof(fc.constant('encoding'), key), bytes, { minKeys: 1, noNullPrototype: true }),
    data: bytes,
  },
  { requiredKeys: ['metadata'], noNullPrototype: true },
);
const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
    fc.integer(),
    fc.string({ unit: 'grapheme' }),
    bytes,
    payload,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

describe('JSON with bytes', () => {
  it('gives back what it was given, byte for byte', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(fromJson(toJson(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('takes messages of protobufjs, as converters make them', () => {
    const sizes = [Payload.ExternalPayloadDetails.create({ sizeBytes: Long.fromNumber(5) })];
    const made = Payload.create({ metadata: { encoding: new Uint8Array([65]) }, data: new Uint8Array([66]) });
    const json = toJson({ details: [Object.assign(made, { externalPayloads: sizes })] });
    expect(json).toBe('{"details":[{"$payload":"A","text":"B","externalPayloads":[{"sizeBytes":"5"}]}]}');
    expect(messageSize({ details: [made] })).toBeLessThan(100);
  });

  it('is readable', () => {
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    const payload = { metadata: { encoding: text('json/plain') }, data: text('{"plan":"pro"}') };
    expect(
      toJson({ a: [1, undefined], payload, token: text('é'), raw: new Uint8Array([255]), absent: undefined, $x: 1 }),
    ).toBe(
      '{"a":[1,null],"payload":{"$payload":"json/plain","text":"{\\"plan\\":\\"pro\\"}"},"token":{"$text":"é"},"raw":{"$base64":"/w=="},"$$x":1}',
    );
  });

  it('keeps NUL, which Postgres cannot hold in text, as base64', () => {
    expect(toJson(new Uint8Array([65, 0]))).toBe('{"$base64":"QQA="}');
  });

  it('reads bytes from other realms', async () => {
    const { runInNewContext } = await import('node:vm');
    const foreign = runInNewContext('new Uint8Array([1, 2, 255])') as Uint8Array;
    expect(fromJson(toJson({ foreign }))).toEqual({ foreign: new Uint8Array([1, 2, 255]) });
  });

  it('keeps NUL in strings without writing it', () => {
    const value = { 'k\0': ['a\0b', '\uf8f0', '\uf8f00', '\\u0000'] };
    expect(toJson(value)).not.toMatch(/[^\\]\\u0000/);
    expect(fromJson(toJson(value))).toEqual(value);
  });

  it('replaces lone surrogates, as protobuf does', () => {
    expect(fromJson(toJson('a\ud800b'))).toBe('a\ufffdb');
    expect(fromJson(toJson('\\ud800'))).toBe('\\ud800');
  });
});
