import { FatalMachineError } from '../errors';
import type { Payload, Payloads } from '../messages';

/** The payload of a result that has at most one; undefined for no result. */
export function onlyPayload(payloads: Payloads | null | undefined, what: string): Payload | undefined {
  if (payloads === null || payloads === undefined) return undefined;
  const list = payloads.payloads ?? [];
  if (list.length !== 1) throw new FatalMachineError(`Not exactly one payload in ${what} but ${list.length}`);
  return list[0];
}
