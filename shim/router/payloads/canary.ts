/**
 * What a process makes of one fixed value by its data converter: as payloads, memo, heartbeat and failure, as they would be sent. Another process reads
 * them, and finds what it reads in its own, or the two do not understand each other. Keys may make ciphertexts that differ each time, so bytes are not compared.
 */
import { isDeepStrictEqual } from 'node:util';
import { ApplicationFailure, type LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeMapFromPayloads,
  decodeOptionalFailureToOptionalError,
  encodeErrorToFailure,
  encodeMapToPayloads,
  encodeToPayloadsWithContext,
} from '@temporalio/common/lib/internal-non-workflow';
import { temporal } from '@temporalio/proto';

/** Protobuf messages, base64: Payloads, Memo, Payloads, Failure. */
export interface Canary {
  payload: string;
  memo: string;
  heartbeat: string;
  failure: string;
}
type Part = keyof Canary;

/** What the parts mean to a process; they hold nothing of a failure that differs from place to place. */
export type Reading = Record<Part, unknown>;

const VALUE = { text: 'Branchline ✓', number: 1.5, list: [true, null], nested: { empty: '' } };
const ID = 'branchline-payload-canary';

const { Payloads, Memo } = temporal.api.common.v1;
const { Failure } = temporal.api.failure.v1;
const ofWorkflow = (namespace: string) => ({ type: 'workflow', namespace, workflowId: ID }) as const;
const ofActivity = (namespace: string) =>
  ({ type: 'activity', namespace, workflowId: ID, activityId: '1', isLocal: false }) as const;

/** @throws what the converter or a codec throws */
export async function makeCanary(converter: LoadedDataConverter, namespace: string): Promise<Canary> {
  const payloads = await encodeToPayloadsWithContext(converter, ofWorkflow(namespace), [VALUE]);
  const fields = await encodeMapToPayloads(converter, { canary: VALUE }, ofWorkflow(namespace));
  const heartbeat = await encodeToPayloadsWithContext(converter, ofActivity(namespace), [VALUE]);
  const error = ApplicationFailure.create({ message: ID, type: 'Canary', nonRetryable: true, details: [VALUE] });
  const failure = await encodeErrorToFailure(converter, error, ofWorkflow(namespace));
  return {
    payload: base64(Payloads.encode({ payloads: payloads ?? null })),
    memo: base64(Memo.encode({ fields })),
    heartbeat: base64(Payloads.encode({ payloads: heartbeat ?? null })),
    failure: base64(Failure.encode(failure)),
  };
}

/** What one's own canary means to oneself. @throws what the converter or a codec throws */
export async function readOwn(converter: LoadedDataConverter, namespace: string, canary: Canary): Promise<Reading> {
  const reading = {} as Reading;
  for (const part of PARTS) reading[part] = await readers[part](converter, namespace, canary);
  return reading;
}

/** Undefined: it means the same here. Else what does not, in words. */
export async function misread(
  converter: LoadedDataConverter,
  namespace: string,
  canary: Canary,
  own: Reading,
): Promise<string | undefined> {
  const faults: string[] = [];
  for (const part of PARTS) {
    try {
      const found = await readers[part](converter, namespace, canary);
      if (!isDeepStrictEqual(found, own[part])) faults.push(`${part}: ${difference(part, found, own[part])}`);
    } catch (error) {
      faults.push(`${part}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return faults.length === 0 ? undefined : faults.join('; ');
}

const readers: Record<Part, (converter: LoadedDataConverter, namespace: string, canary: Canary) => Promise<unknown>> = {
  payload: async (converter, namespace, { payload }) => {
    const { payloads } = Payloads.decode(Buffer.from(payload, 'base64'));
    return decodeArrayFromPayloads(converter, payloads, ofWorkflow(namespace));
  },
  memo: async (converter, namespace, { memo }) => {
    const { fields } = Memo.decode(Buffer.from(memo, 'base64'));
    return decodeMapFromPayloads(converter, fields, ofWorkflow(namespace));
  },
  heartbeat: async (converter, namespace, { heartbeat }) => {
    const { payloads } = Payloads.decode(Buffer.from(heartbeat, 'base64'));
    return decodeArrayFromPayloads(converter, payloads, ofActivity(namespace));
  },
  failure: async (converter, namespace, { failure }) => {
    const proto = Failure.decode(Buffer.from(failure, 'base64'));
    // Decoded in place.
    const hidden = proto.encodedAttributes != null;
    const error = await decodeOptionalFailureToOptionalError(converter, proto, ofWorkflow(namespace));
    const { name, message, type, nonRetryable, details } = (error ?? {}) as Partial<ApplicationFailure>;
    // A side that leaves messages readable, where the other hides them, tells what it should not.
    return { hidden, name, message, type, nonRetryable, details };
  },
};
const PARTS = Object.keys(readers) as Part[];

function difference(part: Part, found: unknown, own: unknown): string {
  const [theirs, ours] = [found, own] as { hidden?: boolean }[];
  if (part === 'failure' && theirs?.hidden !== ours?.hidden) {
    return `its message and stack trace are ${theirs?.hidden === true ? 'encoded' : 'not encoded'}, here they are${ours?.hidden === true ? '' : ' not'} (encodeCommonAttributes)`;
  }
  return 'it is read as another value';
}

const base64 = (writer: { finish(): Uint8Array }): string => Buffer.from(writer.finish()).toString('base64');
