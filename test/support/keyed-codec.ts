/** A codec with keys, as applications have them: each text comes out differently each time. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

const Message = temporal.api.common.v1.Payload;
const keyOf = (name: string): Buffer => createHash('sha256').update(name).digest();

/** Encodes with the first key and knows them all. */
export function keyedCodec(...names: string[]): PayloadCodec {
  return {
    encode: async (payloads) =>
      payloads.map((payload): Payload => {
        const iv = randomBytes(12);
        const cipher = createCipheriv('aes-256-gcm', keyOf(names[0]!), iv);
        const text = Buffer.concat([cipher.update(Message.encode(payload).finish()), cipher.final()]);
        return {
          metadata: { [METADATA_ENCODING_KEY]: Buffer.from('binary/encrypted'), key: Buffer.from(names[0]!) },
          data: Buffer.concat([iv, cipher.getAuthTag(), text]),
        };
      }),
    decode: async (payloads) =>
      payloads.map((payload): Payload => {
        if (Buffer.from(payload.metadata?.[METADATA_ENCODING_KEY] ?? []).toString() !== 'binary/encrypted')
          return payload;
        const name = Buffer.from(payload.metadata?.key ?? []).toString();
        if (!names.includes(name)) throw new Error(`there is no key '${name}'`);
        const data = Buffer.from(payload.data!);
        const decipher = createDecipheriv('aes-256-gcm', keyOf(name), data.subarray(0, 12));
        decipher.setAuthTag(data.subarray(12, 28));
        return Message.decode(Buffer.concat([decipher.update(data.subarray(28)), decipher.final()]));
      }),
  };
}
