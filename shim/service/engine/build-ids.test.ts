import { expect, it } from 'vitest';
import { World } from '../../../test/engine/world';
import { firstBuildId, shownAttributes } from './build-ids';
import { payloadJson } from './payload-fields';
import { keywordList } from './search-attributes';

function buildIds({ state }: World): unknown {
  const shown = shownAttributes(state.searchAttributes, firstBuildId(state));
  return JSON.parse(payloadJson(shown['BuildIds'] ?? {}) ?? 'null');
}

function work(w: World, buildId?: string): string[] {
  w.signal('next');
  w.poll();
  w.complete([], buildId === undefined ? {} : { workerVersionStamp: { buildId, useVersioning: false } });
  return w.effects.map(({ type }) => type);
}

it('are gathered from the workers that complete tasks, each once; the first costs no write of visibility', () => {
  const w = new World().start();
  expect(work(w)).not.toContain('visibilityChanged');
  expect(buildIds(w)).toBeNull();
  expect(work(w, '1.0')).not.toContain('visibilityChanged');
  expect(buildIds(w)).toEqual(['unversioned', 'unversioned:1.0']);
  expect(w.state.searchAttributes).toEqual({});
  expect(work(w, '1.0')).not.toContain('visibilityChanged');
  expect(work(w, '1.1')).toContain('visibilityChanged');
  expect(work(w, '1.0')).not.toContain('visibilityChanged');
  expect(buildIds(w)).toEqual(['unversioned', 'unversioned:1.0', 'unversioned:1.1']);
});

it('are added to those that the caller gave', () => {
  const w = new World().start({ searchAttributes: { indexedFields: { BuildIds: keywordList(['mine']) } } });
  expect(work(w, '1.0')).toContain('visibilityChanged');
  expect(buildIds(w)).toEqual(['mine', 'unversioned:1.0']);
});
