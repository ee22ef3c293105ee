/** UpdateWorkflowExecutionOptions: versioning overrides of open runs. */
import type { temporal } from '@temporalio/proto';
import { overrideOf, wireOverride } from './engine/versioning/override';
import type { OverrideState } from './engine/versioning/run-versioning';
import { invalidArgument } from './errors';
import { type CurrentRuns, targetOf } from './target';
import type { Rpc, ServiceParts } from './types';

type Request = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionOptionsRequest;
type Response = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionOptionsResponse;
type Options = temporal.api.workflow.v1.IWorkflowExecutionOptions;
type Mask = { paths?: string[] | null } | null | undefined;

/** Undefined: the mask names nothing. Throws INVALID_ARGUMENT. */
export function askedOverride(options: Options | null | undefined, mask: Mask): OverrideState | null | undefined {
  if (!mask) throw invalidArgument('UpdateMask is required');
  if (!options) throw invalidArgument('WorkflowExecutionOptions is required');
  const paths = new Set(mask.paths ?? []);
  const known = ['versioning_override', 'versioning_override.behavior', 'versioning_override.deployment'];
  for (const path of paths) {
    if (known.includes(path)) continue;
    if (path === 'priority') throw invalidArgument('Branchline does not change the priority of a running workflow.');
    throw invalidArgument(
      `error parsing UpdateMask: proto: invalid path "${path}" for message "temporal.api.workflow.v1.WorkflowExecutionOptions"`,
    );
  }
  const override = overrideOf(options.versioningOverride);
  if (paths.size === 0) return undefined;
  if (!paths.has('versioning_override') && paths.size < 2) {
    throw invalidArgument('error applying update_options: versioning_override fields must be updated together');
  }
  return override;
}

export function updateWorkflowExecutionOptions(parts: ServiceParts, current: CurrentRuns): Rpc<Request, Response> {
  return async (request) => {
    const target = await targetOf(parts, request.namespace, request.workflowExecution);
    const override = askedOverride(request.workflowExecutionOptions, request.updateMask);
    const { value } = await current.mutate(target, '', (t, run) => {
      if (override === undefined || !parts.engine.updateOverride(t, override)) run.unchanged();
      return t.state.deployment?.override ?? null;
    });
    return { workflowExecutionOptions: value === null ? {} : { versioningOverride: wireOverride(value) } };
  };
}
