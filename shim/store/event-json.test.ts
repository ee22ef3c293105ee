import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import proto from '@temporalio/proto';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import fc from 'fast-check';
import type { Field, Root, Type } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../service/engine/types';
import { eventsFromJson, eventsToJson } from './event-json';

const HistoryEventType = (proto as unknown as Root).lookupType('temporal.api.history.v1.HistoryEvent');

/** What any reader of the protobuf sees: defaults filled in, maps without order, bytes exact. */
const read = (event: object): object =>
  HistoryEventType.toObject(
    HistoryEventType.decode(HistoryEventType.encode(HistoryEventType.fromObject(event)).finish()),
    {
      defaults: true,
      longs: String,
      bytes: String,
    },
  );

/** Events of any shape that the protobuf description allows. */
function message(type: Type, depth: number): fc.Arbitrary<object> {
  if (type.name === 'Timestamp') return time(-62_000_000_000, 250_000_000_000, 0);
  if (type.name === 'Duration') {
    return fc.oneof(
      time(0, 315_000_000_000, 0),
      time(0, 1000, 0).map(({ seconds, nanos }) => ({ seconds: 0 - seconds, nanos: 0 - nanos })),
    );
  }
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  const oneofs = new Set<string>();
  for (const each of type.fieldsArray) {
    each.resolve();
    if (each.partOf !== null && each.partOf.fieldsArray.length > 1) {
      if (oneofs.has(each.partOf.name)) continue;
      oneofs.add(each.partOf.name);
    }
    if (depth <= 0 && each.resolvedType !== null && 'fieldsArray' in each.resolvedType) continue;
    const choices = each.partOf !== null && each.partOf.fieldsArray.length > 1 ? each.partOf.fieldsArray : [each];
    for (const choice of choices) choice.resolve();
    const pick = fc.constantFrom(...choices).chain((one) => field(one, depth).map((value) => ({ [one.name]: value })));
    fields[each.name] = pick;
  }
  return fc
    .record(fields, { requiredKeys: [], noNullPrototype: true })
    .map((parts) => Object.assign({}, ...Object.values(parts)) as object);
}

function field(one: Field, depth: number): fc.Arbitrary<unknown> {
  const value = scalar(one, depth);
  if (one.map)
    return fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), value, {
      minKeys: 1,
      maxKeys: 3,
      noNullPrototype: true,
    });
  return one.repeated ? fc.array(value, { minLength: 1, maxLength: 3 }) : value;
}

function scalar(one: Field, depth: number): fc.Arbitrary<unknown> {
  const resolved = one.resolvedType;
  if (resolved !== null) {
    return 'fieldsArray' in resolved
      ? message(resolved, depth - 1)
      : fc.constantFrom(...Object.values(resolved.values));
  }
  switch (one.type) {
    case 'string':
      return fc.string({ unit: 'grapheme' });
    case 'bool':
      return fc.boolean();
    case 'bytes':
      return fc.oneof(
        fc.uint8Array({ maxLength: 30 }),
        fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
      );
    case 'double':
      return fc.double({ noNaN: true });
    case 'float':
      return fc.float({ noNaN: true });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.nat();
    default:
      return fc.maxSafeInteger();
  }
}

function time(from: number, to: number, least: number): fc.Arbitrary<{ seconds: number; nanos: number }> {
  const nanos = fc.oneof(
    fc.constant(0),
    fc.integer({ min: least, max: 999 }).map((ms) => ms * 1e6),
    fc.integer({ min: least, max: 999_999_999 }),
  );
  return fc.record({ seconds: fc.integer({ min: from, max: to }), nanos });
}

/** Recorded from a real server. */
const recorded = path.resolve(__dirname, '../../compat-tests/histories');
const histories = readdirSync(recorded).filter((file) => file.endsWith('.json'));

describe('stored events', () => {
  it('give back every event that protobuf can hold, byte for byte', () => {
    fc.assert(
      fc.property(fc.array(message(HistoryEventType, 5), { maxLength: 3 }), (events) => {
        const back = eventsFromJson(eventsToJson(events as HistoryEvent[]));
        expect(back.map(read)).toEqual(events.map(read));
      }),
      { numRuns: 400 },
    );
  });

  it('keep the sign of a zero', () => {
    const event = { activityTaskScheduledEventAttributes: { retryPolicy: { backoffCoefficient: -0 } } };
    const [back] = eventsFromJson(eventsToJson([event as HistoryEvent]));
    expect(back!.activityTaskScheduledEventAttributes!.retryPolicy!.backoffCoefficient).toBe(-0);
  });

  it.each(histories)('are what `temporal workflow show --output json` prints, but for payloads: %s', (file) => {
    const shown = JSON.parse(readFileSync(path.join(recorded, file), 'utf8')) as { events: object[] };
    const events = historyFromJSON(shown).events!.map((event) =>
      HistoryEventType.toObject(HistoryEventType.fromObject(event), { longs: Number }),
    );
    const stored = JSON.parse(eventsToJson(events)) as object[];
    expect(stored).toEqual(shown.events.map(compact));
    expect(eventsFromJson(JSON.stringify(stored)).map(read)).toEqual(events.map(read));
  });

  it('hold plain numbers, byte arrays and enum numbers after reading', () => {
    const [event] = eventsFromJson(
      `[{"eventId":"7","eventTime":"2026-11-21T00:02:24.964129553Z","eventType":"EVENT_TYPE_TIMER_STARTED",
        "timerStartedEventAttributes":{"timerId":"1","startToFireTimeout":"0.300s"}}]`,
    );
    expect(event).toEqual({
      eventId: 7,
      eventTime: { seconds: 1795219344, nanos: 964129553 },
      eventType: 17,
      timerStartedEventAttributes: { timerId: '1', startToFireTimeout: { seconds: 0, nanos: 300000000 } },
    });
  });

  it('take 64-bit integers as Long, string or number', () => {
    const forms = [5, '5', { low: 5, high: 0, unsigned: false }];
    for (const eventId of forms) expect(eventsToJson([{ eventId: eventId as never }])).toBe('[{"eventId":"5"}]');
  });

  it('refuse an unknown enum name rather than guess', () => {
    expect(() => eventsFromJson('[{"eventType":"EVENT_TYPE_NOT_YET"}]')).toThrow(
      /EventType has no value EVENT_TYPE_NOT_YET/,
    );
  });
});

/** Temporal's JSON with payloads in the stored form and defaults left out. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  const metadata = object.metadata as Record<string, string> | undefined;
  if (metadata?.encoding !== undefined) {
    const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
    const { encoding, ...others } = metadata;
    const form: Record<string, unknown> = { encoding: text(encoding!) };
    const rest = Object.entries(others).map(([key, base64]) => [key, text(base64)]);
    if (rest.length > 0) form.metadata = Object.fromEntries(rest) as object;
    if (object.data !== undefined) form.text = text(object.data as string);
    return form;
  }
  const kept = Object.entries(object).filter(
    ([, member]) => member !== '' && member !== 0 && member !== '0' && member !== false,
  );
  return Object.fromEntries(kept.map(([key, member]) => [key, compact(member)]));
}
