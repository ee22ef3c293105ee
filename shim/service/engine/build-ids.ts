/**
 * `BuildIds`: runs can be found by the build ids of the workers that worked on them. The first build id is among the search attributes only
 * when it is read: it stands in the run's state and in a column of its own, and so costs no write and no entry of an index.
 */
import { SEARCH_ATTRIBUTE_VALUE_SIZE } from './limits';
import { payloadJson } from './payload-fields';
import { keywordList } from './search-attributes';
import type { Payload, RunState } from './types';

const BUILD_IDS = 'BuildIds';
/** What Temporal writes of workers that are not versioned: this mark, and the build id behind it. Alone: of runs that are not. */
export const UNVERSIONED_RUN = 'unversioned';

type Attributes = Record<string, Payload>;

/** The build id that is not among the run's search attributes; '' when none is missing there. */
export function firstBuildId(state: RunState): string {
  return state.searchAttributes[BUILD_IDS] === undefined ? (state.versioning?.buildId ?? '') : '';
}

/** Search attributes as they are read. `buildId`: see `firstBuildId`. */
export function shownAttributes(attributes: Attributes, buildId: string): Attributes {
  return buildId === ''
    ? attributes
    : { ...attributes, [BUILD_IDS]: keywordList([UNVERSIONED_RUN, unversionedMark(buildId)]) };
}

/** The run's search attributes once a worker with this build id has worked on it; undefined when that changes nothing in them. */
export function withBuildId(state: RunState, buildId: string): Attributes | undefined {
  const last = state.versioning?.buildId ?? '';
  if (last === buildId || (last === '' && state.searchAttributes[BUILD_IDS] === undefined)) return undefined;
  const ids = buildIdsOf(state);
  if (ids.includes(unversionedMark(buildId))) return undefined;
  const more = keywordList([...ids, unversionedMark(buildId)]);
  if (more.data!.byteLength > SEARCH_ATTRIBUTE_VALUE_SIZE) return undefined;
  return { ...state.searchAttributes, [BUILD_IDS]: more };
}

/** All values of the run's `BuildIds`. */
export function buildIdsOf(state: RunState): string[] {
  const known = shownAttributes(state.searchAttributes, firstBuildId(state))[BUILD_IDS];
  return (JSON.parse(payloadJson(known ?? {}) ?? '[]') as string[] | null) ?? [];
}

export const unversionedMark = (buildId: string): string => `${UNVERSIONED_RUN}:${buildId}`;
