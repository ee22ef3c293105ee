/** Payloads as the default converter writes them. */
import type { temporal } from '@temporalio/proto';

export const payload = (value: unknown): temporal.api.common.v1.IPayload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
export const payloads = (...values: unknown[]): temporal.api.common.v1.IPayloads => ({ payloads: values.map(payload) });
