/** Which rows belong to a role that is restricted to namespaces, or to one tenant in them: conditions of row-level security. */
import { literal } from '../sql/roles';

export interface Scope {
  /** Names; undefined = all. */
  namespaces?: string[];
  /** Runs and schedules whose search attribute (Keyword) has that value. Only with namespaces. */
  tenant?: { attribute: string; value: string };
}

export const isRestricted = ({ namespaces }: Scope): boolean => namespaces !== undefined;

/** How the rows of a table belong to a namespace and a tenant. */
type Belonging =
  /** It is the table of namespaces. */
  | 'namespace'
  /** A column `namespace_id`; nothing tells a tenant. */
  | 'namespaceId'
  /** The name in a column `namespace`. */
  | 'namespaceName'
  /** A column `namespace_id`, and search attributes. */
  | 'attributes'
  /** A column `namespace_id`; the run or the workflow id tells the tenant. */
  | 'runInNamespace'
  | 'workflowInNamespace'
  /** A column `run_id` alone. */
  | 'run'
  /** Of a schedule. */
  | 'schedule';

/** Tables that are not here are of all namespaces: who is alive, what has been migrated, the versions of routes. */
export const BELONGING: Readonly<Record<string, Belonging>> = {
  batch_items: 'namespaceId',
  batch_jobs: 'namespaceId',
  executions: 'attributes',
  heartbeats: 'run',
  history: 'run',
  inbox: 'run',
  limited_activities: 'namespaceId',
  local_results: 'run',
  namespaces: 'namespace',
  payload_parties: 'namespaceName',
  queries: 'workflowInNamespace',
  routed_ids: 'namespaceName',
  runs: 'runInNamespace',
  schedule_moves: 'namespaceName',
  schedule_slots: 'schedule',
  schedules: 'attributes',
  search_attributes: 'namespaceId',
  signal_requests: 'run',
  stand_ins: 'namespaceName',
  task_queue_configs: 'namespaceId',
  task_queue_limits: 'namespaceId',
  task_queue_rates: 'namespaceId',
  tasks: 'runInNamespace',
  worker_deployments: 'namespaceId',
};

export interface Conditions {
  /** Rows that are there for the role. */
  using: string;
  /** Rows that it may write. */
  check: string;
}

/** `s`: the quoted schema. The condition of a whole table is true, which costs its role nothing. */
export function conditions(s: string, table: string, { namespaces, tenant }: Scope): Conditions {
  const all: Conditions = { using: 'true', check: 'true' };
  const belonging = BELONGING[table];
  if (namespaces === undefined || belonging === undefined) return all;
  const both = (condition: string): Conditions => ({ using: condition, check: condition });
  const names = `ANY (ARRAY[${namespaces.map(literal).join(', ')}])`;
  // Asked once per statement, and an index can use it.
  const inNamespace = (column: string): string =>
    `${column} = ANY (ARRAY(SELECT n.id FROM ${s}.namespaces n WHERE n.name = ${names}))`;
  const ofTenant = (alias: string): string =>
    tenant === undefined
      ? inNamespace(`${alias}.namespace_id`)
      : `${inNamespace(`${alias}.namespace_id`)} AND ${alias}.search_attributes @> jsonb_build_object(${literal(tenant.attribute)}, ${literal(tenant.value)})`;
  const own = table;
  const ofRun = `EXISTS (SELECT FROM ${s}.executions e WHERE e.run_id = ${own}.run_id AND ${ofTenant('e')})`;
  switch (belonging) {
    case 'namespace':
      return both(`name = ${names}`);
    case 'namespaceName':
      return both(`namespace = ${names}`);
    case 'namespaceId':
      return both(inNamespace('namespace_id'));
    case 'attributes':
      return both(ofTenant(own));
    case 'run':
      return both(ofRun);
    case 'runInNamespace':
      // A new run's row comes before the row that has its search attributes.
      return tenant === undefined
        ? both(inNamespace('namespace_id'))
        : { using: ofRun, check: inNamespace('namespace_id') };
    case 'workflowInNamespace':
      return both(
        tenant === undefined
          ? inNamespace('namespace_id')
          : `EXISTS (SELECT FROM ${s}.executions e WHERE e.namespace_id = ${own}.namespace_id AND e.workflow_id = ${own}.workflow_id AND ${ofTenant('e')})`,
      );
    case 'schedule':
      return both(`EXISTS (SELECT FROM ${s}.schedules x WHERE x.uuid = ${own}.schedule_uuid AND ${ofTenant('x')})`);
  }
}
