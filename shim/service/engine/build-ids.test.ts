import { expect, it } from 'vitest';
import { World } from '../../../test/engine/world';
import { payloadJson } from './payload-fields';

const buildIds = (w: World): unknown => JSON.parse(payloadJson(w.state.searchAttributes['BuildIds'] ?? {}) ?? 'null');

function work(w: World, buildId?: string): string[] {
  w.signal('next');
  w.poll();
  w.complete([], buildId === undefined ? {} : { workerVersionStamp: { buildId, useVersioning: false } });
  return w.effects.map(({ type }) => type);
}

it('are gathered from the workers that complete tasks, each once', () => {
  const w = new World().start();
  expect(work(w)).not.toContain('visibilityChanged');
  expect(buildIds(w)).toBeNull();
  expect(work(w, '1.0')).toContain('visibilityChanged');
  expect(buildIds(w)).toEqual(['unversioned', 'unversioned:1.0']);
  expect(work(w, '1.0')).not.toContain('visibilityChanged');
  work(w, '1.1');
  work(w, '1.0');
  expect(buildIds(w)).toEqual(['unversioned', 'unversioned:1.0', 'unversioned:1.1']);
});
