/** Search attributes that tell of versions (service/history/workflow/mutable_state_impl.go, addBuildIdAndDeploymentInfoToSearchAttributes…). */
import { SEARCH_ATTRIBUTE_VALUE_SIZE } from '../limits';
import { buildIdsOf, unversionedMark, UNVERSIONED_RUN } from '../build-ids';
import { payloadJson } from '../payload-fields';
import { keyword, keywordList } from '../search-attributes';
import type { Payload, RunState } from '../types';
import { pinnedOverride, settledBehavior } from './run-versioning';
import { Behavior, versionText } from './version';

const BUILD_IDS = 'BuildIds';
const PINNED = 'pinned:';
const NAMES = ['TemporalWorkerDeployment', 'TemporalWorkerDeploymentVersion', 'TemporalWorkflowVersioningBehavior'];
/** temporal.api.enums.v1.VersioningBehavior, as the server's own filter texts spell it. */
const BEHAVIORS = ['', 'Pinned', 'AutoUpgrade'];

/** Of open runs that are pinned to the version. */
export const pinnedMark = (version: string): string => PINNED + version;

/** Brings the run's search attributes up to date; `buildId`: of the worker that has just completed a task, '' = none has. */
export function refreshAttributes(state: RunState, buildId: string): void {
  const { deployment } = state;
  const pinnedTo = pinnedOverride(deployment);
  const behavior = settledBehavior(deployment);
  const version = versionText(pinnedTo ?? deployment?.version ?? null);
  const values = [pinnedTo?.deploymentName ?? deployment?.deploymentName ?? '', version, BEHAVIORS[behavior] ?? ''];
  const attributes: Record<string, Payload> = { ...state.searchAttributes };
  if (NAMES.some((name, i) => textOf(attributes[name]) !== values[i])) {
    NAMES.forEach((name, i) => (attributes[name] = keyword(values[i]!)));
  }
  const known = buildIdsOf(state);
  const ids = [
    ...(behavior === Behavior.Unspecified ? [UNVERSIONED_RUN] : []),
    ...(behavior === Behavior.Pinned ? [pinnedMark(version)] : []),
    ...known.filter((id) => id !== UNVERSIONED_RUN && !id.startsWith(PINNED)),
  ];
  if (buildId !== '' && !ids.includes(unversionedMark(buildId))) ids.push(unversionedMark(buildId));
  if (ids.length > 0 || known.length > 0) attributes[BUILD_IDS] = fitting(ids);
  state.searchAttributes = attributes;
}

/** The oldest build ids give way; the mark at the beginning stays. */
function fitting(ids: string[]): Payload {
  for (let kept = ids; ; kept = [...kept.slice(0, 1), ...kept.slice(2)]) {
    const payload = keywordList(kept.length === 0 ? null : kept);
    if (kept.length < 2 || payload.data!.byteLength <= SEARCH_ATTRIBUTE_VALUE_SIZE) return payload;
  }
}

function textOf(payload: Payload | undefined): string {
  const json = payload === undefined ? null : payloadJson(payload);
  return json === null ? '' : String(JSON.parse(json));
}
