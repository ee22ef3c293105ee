/** compatibility.json says what the service does. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { temporal } from '@temporalio/proto';
import type { Service } from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { Code } from './errors';
import { refuseNetworkOptions } from './connect-options';
import { refusals } from './refused-rpcs';
import { rpcTable } from './rpc-table';
import type { Deployments } from './deployments/deployments';
import type { Schedules } from './schedules/schedules';
import type { WorkerParts } from './workflow-tasks';

interface Entry {
  status: 'supported' | 'deviates' | 'refused';
  code?: string;
  sentence?: string;
}
type Entries = Record<string, Entry>;
const list = JSON.parse(readFileSync(path.resolve(__dirname, '../../compatibility.json'), 'utf8')) as {
  rpcs: Record<'WorkflowService' | 'OperatorService', Entries>;
  options: Record<string, Entries>;
};

const services = {
  WorkflowService: temporal.api.workflowservice.v1.WorkflowService,
  OperatorService: temporal.api.operatorservice.v1.OperatorService,
};
const lowerCamel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

describe.each(['WorkflowService', 'OperatorService'] as const)('compatibility.json on %s', (name) => {
  const methods = Object.keys((services[name] as unknown as Service).methods);
  const answered = rpcTable({} as WorkerParts, {
    schedules: {} as Schedules,
    deployments: {} as Deployments,
    batchStarted: () => undefined,
  });

  it('names every RPC', () => {
    expect(Object.keys(list.rpcs[name]).sort()).toEqual([...methods].sort());
  });

  it.each(methods)('%s: says what the service does', (method) => {
    const entry = list.rpcs[name][method];
    const key = lowerCamel(method);
    expect(answered.has(key)).toBe(true);
    const refusal = refusals[key];
    if (entry?.status === 'refused') {
      expect({ code: entry.code, sentence: entry.sentence }).toEqual({
        code: refusal && Code[refusal.code],
        sentence: refusal?.sentence,
      });
    } else {
      expect(refusal).toBeUndefined();
    }
    if (entry?.status === 'deviates') expect(entry.sentence).toMatch(/\.$/);
  });
});

describe('compatibility.json on connection options', () => {
  it.each(Object.entries(list.options['Connection.connect'] ?? {}))('%s', (option, entry) => {
    const refuse = (): void => {
      refuseNetworkOptions({ [option]: option === 'interceptors' ? [{}] : { given: true } });
    };
    if (entry.status === 'refused') expect(refuse).toThrow(entry.sentence);
    else expect(refuse).not.toThrow();
  });
});
