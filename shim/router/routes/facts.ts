/** What routes look at, read from a start request. */
import type { temporal } from '@temporalio/proto';
import type { TenantSource } from './schema';

type Payload = temporal.api.common.v1.IPayload;

/** The fields that all requests that start a workflow have in common. */
export type StartRequest = Pick<
  temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest,
  'namespace' | 'workflowId' | 'workflowType' | 'taskQueue' | 'searchAttributes' | 'memo' | 'header'
>;

/** A start as routes see it. */
export interface StartFacts {
  namespace: string;
  workflowId: string;
  workflowType: string;
  taskQueue: string;
  /** Undefined: the start does not say. */
  tenant?: string;
  /** Why there is no tenant, when something was there that cannot be read. */
  tenantProblem?: string;
}

/** Finds the tenant of a start; given to RoutedConnection.connect for routes whose `tenant` is 'function'. Undefined = none. */
export type TenantFunction = (
  start: Omit<StartFacts, 'tenant' | 'tenantProblem'>,
  request: StartRequest,
) => string | undefined;

export function startFacts(
  request: StartRequest,
  source: TenantSource | undefined,
  tenantOf?: TenantFunction,
): StartFacts {
  const facts: StartFacts = {
    namespace: request.namespace ?? '',
    workflowId: request.workflowId ?? '',
    workflowType: request.workflowType?.name ?? '',
    taskQueue: request.taskQueue?.name ?? '',
  };
  if (source === undefined) return facts;
  if (source === 'function') return withTenant(facts, tenantOf?.(facts, request));
  if ('idPattern' in source) return withTenant(facts, new RegExp(source.idPattern, 'u').exec(facts.workflowId)?.[1]);
  const payload =
    'searchAttribute' in source
      ? request.searchAttributes?.indexedFields?.[source.searchAttribute]
      : 'memo' in source
        ? request.memo?.fields?.[source.memo]
        : request.header?.fields?.[source.header];
  if (!payload) return facts;
  const text = plainText(payload);
  if (text === undefined) {
    const [where, key] = Object.entries(source)[0] as [string, string];
    const encoding = payload.metadata?.encoding;
    facts.tenantProblem = `${where} ${key} is not a JSON text (encoding ${encoding ? Buffer.from(encoding).toString() : 'missing'})`;
  }
  return withTenant(facts, text);
}

const withTenant = (facts: StartFacts, tenant: string | undefined): StartFacts =>
  tenant === undefined ? facts : { ...facts, tenant };

/** Search attributes are never encoded; memo and headers are when the client has a codec: then they cannot be read here. */
function plainText(payload: Payload): string | undefined {
  const { encoding } = payload.metadata ?? {};
  if (!encoding || !payload.data || Buffer.from(encoding).toString() !== 'json/plain') return undefined;
  try {
    const value = JSON.parse(Buffer.from(payload.data).toString()) as unknown;
    // Untyped search attributes travel as lists.
    const first: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    if (typeof first === 'string') return first;
    return typeof first === 'number' ? String(first) : undefined;
  } catch {
    return undefined;
  }
}
