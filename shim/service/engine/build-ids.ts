/** `BuildIds`: runs can be found by the build ids of the workers that worked on them. */
import { SEARCH_ATTRIBUTE_VALUE_SIZE } from './limits';
import { payloadJson } from './payload-fields';
import { keywordList } from './search-attributes';
import type { Payload, RunState } from './types';

const BUILD_IDS = 'BuildIds';
/** What Temporal writes of workers that are not versioned: this mark, and the build id behind it. */
const UNVERSIONED = 'unversioned';

/** The run's search attributes once a worker with this build id has worked on it; undefined when that changes nothing. */
export function withBuildId(state: RunState, buildId: string): Record<string, Payload> | undefined {
  const known = state.searchAttributes[BUILD_IDS];
  if (known !== undefined && state.versioning?.buildId === buildId) return undefined;
  const ids = known === undefined ? [UNVERSIONED] : (JSON.parse(payloadJson(known) ?? '[]') as string[]);
  const id = `${UNVERSIONED}:${buildId}`;
  if (ids.includes(id)) return undefined;
  const more = keywordList([...ids, id]);
  if (more.data!.byteLength > SEARCH_ATTRIBUTE_VALUE_SIZE) return undefined;
  return { ...state.searchAttributes, [BUILD_IDS]: more };
}
