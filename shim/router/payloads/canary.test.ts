import {
  DefaultFailureConverter,
  type LoadedDataConverter,
  METADATA_ENCODING_KEY,
  type Payload,
  type PayloadConverter,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { keyedCodec } from '../../../test/support/keyed-codec';
import { makeCanary, misread, readOwn } from './canary';

const plain: LoadedDataConverter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: defaultFailureConverter,
  payloadCodecs: [],
};
const keyed = (...names: string[]): LoadedDataConverter => ({ ...plain, payloadCodecs: [keyedCodec(...names)] });
const hiding = (converter: LoadedDataConverter): LoadedDataConverter => ({
  ...converter,
  failureConverter: new DefaultFailureConverter({ encodeCommonAttributes: true }),
});

/** A payload converter at another path: JSON under a name of its own. */
const own: PayloadConverter = {
  toPayload: (value): Payload => ({
    metadata: { [METADATA_ENCODING_KEY]: Buffer.from('json/ours') },
    data: Buffer.from(JSON.stringify({ ours: value })),
  }),
  fromPayload: <T>({ metadata, data }: Payload): T => {
    if (Buffer.from(metadata![METADATA_ENCODING_KEY]!).toString() !== 'json/ours') throw new Error('not ours');
    return (JSON.parse(Buffer.from(data!).toString()) as { ours: T }).ours;
  },
};
/** Writes without a fault, and not everything. */
const forgetful: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload({ ...(value as object), text: undefined }) as Payload,
  fromPayload: <T>(payload: Payload): T => defaultPayloadConverter.fromPayload<T>(payload),
};

async function reads(reader: LoadedDataConverter, writer: LoadedDataConverter): Promise<string | undefined> {
  const reading = await readOwn(reader, 'n', await makeCanary(reader, 'n'));
  return misread(reader, 'n', await makeCanary(writer, 'n'), reading);
}

describe('A canary', () => {
  it.each([
    ['plain ones', plain, plain],
    ['the same key', keyed('a'), keyed('a')],
    ['encoded failures and the same key', hiding(keyed('a')), hiding(keyed('a'))],
    ['another key that the reader knows too', keyed('new', 'old'), keyed('old')],
    ['a reader that only adds a codec', keyed('a'), plain],
    ['a payload converter of their own', { ...plain, payloadConverter: own }, { ...plain, payloadConverter: own }],
  ])('is read between two with %s', async (_, reader, writer) => {
    expect(await reads(reader, writer)).toBeUndefined();
  });

  it.each([
    ['another key', keyed('a'), keyed('b'), /^payload: there is no key 'b'; memo: .*; heartbeat: .*; failure: /],
    ['a key that is newer', keyed('old'), keyed('new', 'old'), /^payload: there is no key 'new'/],
    ['a codec that the reader has not', plain, keyed('a'), /^payload: Unknown encoding: binary\/encrypted.*failure: /],
    ['another payload converter', plain, { ...plain, payloadConverter: own }, /^payload: Unknown encoding: json\/ours/],
    ['another payload converter here', { ...plain, payloadConverter: own }, plain, /^payload: not ours/],
    [
      'a payload converter that loses something',
      plain,
      { ...plain, payloadConverter: forgetful },
      /^payload: it is read as another value; memo/,
    ],
    [
      'messages of failures that are not encoded',
      hiding(keyed('a')),
      keyed('a'),
      /^failure: its message and stack trace are not encoded, here they are \(encodeCommonAttributes\)$/,
    ],
    [
      'messages of failures that are encoded',
      keyed('a'),
      hiding(keyed('a')),
      /^failure: its message and stack trace are encoded, here they are not \(encodeCommonAttributes\)$/,
    ],
    [
      'a failure converter that changes types',
      plain,
      {
        ...plain,
        failureConverter: {
          errorToFailure: (error: unknown, converter: PayloadConverter) => ({
            ...defaultFailureConverter.errorToFailure(error, converter),
            message: 'censored',
          }),
          failureToError: defaultFailureConverter.failureToError.bind(defaultFailureConverter),
        },
      },
      /^failure: it is read as another value$/,
    ],
  ])('is not read from a writer with %s', async (_, reader, writer, why) => {
    expect(await reads(reader, writer as LoadedDataConverter)).toMatch(why);
  });
});
