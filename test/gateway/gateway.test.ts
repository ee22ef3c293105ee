/** The service over gRPC, seen by a bare gRPC client. */
import { once } from 'node:events';
import {
  type ServiceError,
  Metadata,
  Client as GrpcClient,
  credentials,
  status,
  type CallOptions,
} from '@grpc/grpc-js';
import { google, grpc, temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { type GatewayOptions, startGateway } from '../../shim/gateway';
import { Code, ServiceError as Refusal } from '../../shim/service/errors';
import type { CallContext } from '../../shim/service/types';
import { afterTest } from '../support/database';
import { testService } from '../support/service';

const ws = temporal.api.workflowservice.v1;
const PATH = '/temporal.api.workflowservice.v1.WorkflowService/';

interface Message<T> {
  encode(value: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}
interface Ask {
  metadata?: Record<string, string>;
  options?: CallOptions;
}

class Caller {
  constructor(private readonly client: GrpcClient) {}

  call<T>(path: string, Request: Message<unknown>, Response: Message<T>, request: object, ask: Ask = {}): Promise<T> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(ask.metadata ?? {})) metadata.set(name, value);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        path,
        (value: object) => Buffer.from(Request.encode(value).finish()),
        (bytes: Buffer) => Response.decode(bytes),
        request,
        metadata,
        ask.options ?? {},
        (error, value) => (error === null ? resolve(value as T) : reject(error)),
      );
    });
  }

  namespaces = (ask?: Ask) =>
    this.call(`${PATH}ListNamespaces`, ws.ListNamespacesRequest, ws.ListNamespacesResponse, {}, ask);
  health = (service: string) =>
    this.call('/grpc.health.v1.Health/Check', grpc.health.v1.HealthCheckRequest, grpc.health.v1.HealthCheckResponse, {
      service,
    });
}

async function gatewayOn(service: GatewayOptions['service'], options: Partial<GatewayOptions> = {}) {
  const gateway = await startGateway({ service, port: 0, ...options });
  afterTest(() => gateway.close());
  const caller = (channel: object = {}): Caller => {
    const client = new GrpcClient(gateway.address, credentials.createInsecure(), channel);
    afterTest(() => Promise.resolve(client.close()));
    return new Caller(client);
  };
  return { gateway, caller };
}

/** A service that answers with `answer`. */
const scripted = (answer: (method: string, request: object, ctx: CallContext) => Promise<object>) => ({ call: answer });

describe('the gateway', () => {
  it('answers from the service, errors with their details', async () => {
    const { caller } = await gatewayOn(await testService());
    const client = caller();
    const { namespaces } = await client.namespaces();
    expect(namespaces.map(({ namespaceInfo }) => namespaceInfo?.name)).toContain('default');

    const missing = await client
      .call(`${PATH}ListWorkflowExecutions`, ws.ListWorkflowExecutionsRequest, ws.ListWorkflowExecutionsResponse, {
        namespace: 'nowhere',
      })
      .catch((error: ServiceError) => error);
    expect(missing).toMatchObject({ code: Code.NOT_FOUND, details: 'Namespace nowhere is not found.' });
    const [bytes] = (missing as ServiceError).metadata.get('grpc-status-details-bin');
    const decoded = google.rpc.Status.decode(bytes as Buffer);
    expect(decoded.details[0]?.type_url).toBe(
      'type.googleapis.com/temporal.api.errordetails.v1.NamespaceNotFoundFailure',
    );
  });

  it('answers what it does not do with UNIMPLEMENTED and a sentence', async () => {
    const { caller } = await gatewayOn(await testService());
    const refused = caller().call(
      `${PATH}ListActivityExecutions`,
      ws.ListActivityExecutionsRequest,
      ws.ListActivityExecutionsResponse,
      {},
    );
    await expect(refused).rejects.toMatchObject({ code: Code.UNIMPLEMENTED, details: expect.stringMatching(/\.$/) });
  });

  it('passes metadata and deadline on, and plain requests', async () => {
    let seen: { request: object; ctx: CallContext } | undefined;
    const { caller } = await gatewayOn(
      scripted((_, request, ctx) => {
        seen = { request, ctx };
        return Promise.resolve({});
      }),
    );
    const deadline = Date.now() + 30_000;
    await caller().call(
      `${PATH}StartWorkflowExecution`,
      ws.StartWorkflowExecutionRequest,
      ws.StartWorkflowExecutionResponse,
      { workflowId: 'w', workflowRunTimeout: { seconds: 7 } },
      { metadata: { 'temporal-namespace': 'n' }, options: { deadline } },
    );
    expect(seen?.request).toEqual({ workflowId: 'w', workflowRunTimeout: { seconds: 7 } });
    expect(seen?.ctx.metadata).toMatchObject({ 'temporal-namespace': 'n' });
    expect(Math.abs((seen?.ctx.deadlineMs ?? 0) - deadline)).toBeLessThan(5000);
  });

  it('ends the wait in the service when the caller goes away', async () => {
    const aborted = new Promise<void>((resolve, reject) => {
      const service = scripted(async (_, __, { signal }) => {
        await once(signal!, 'abort');
        resolve();
        throw new Refusal(Code.CANCELLED, 'context canceled');
      });
      gatewayOn(service)
        .then(({ caller }) => caller().namespaces({ options: { deadline: Date.now() + 200 } }))
        .catch((error: ServiceError) => (error.code === status.DEADLINE_EXCEEDED ? undefined : reject(error)));
    });
    await aborted;
  });

  it('takes compressed requests', async () => {
    const { caller } = await gatewayOn(await testService());
    const client = caller({ 'grpc.default_compression_algorithm': 2 });
    expect((await client.namespaces()).namespaces.length).toBeGreaterThan(0);
  });

  it('refuses requests over 4 MiB in the words that workers know, and sends larger answers', async () => {
    const name = 'x'.repeat(5 * 1024 * 1024);
    const { caller } = await gatewayOn(scripted(() => Promise.resolve({ runId: name })));
    const client = caller({ 'grpc.max_receive_message_length': -1 });
    const start = (workflowId: string) =>
      client.call(
        `${PATH}StartWorkflowExecution`,
        ws.StartWorkflowExecutionRequest,
        ws.StartWorkflowExecutionResponse,
        {
          workflowId,
        },
      );
    await expect(start(name)).rejects.toMatchObject({
      code: Code.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/^grpc: received message larger than max \(\d+ vs\. 4194304\)$/),
    });
    expect((await start('w')).runId).toHaveLength(name.length);
  });

  it('answers bytes that are no message with INVALID_ARGUMENT', async () => {
    const { caller } = await gatewayOn(await testService());
    const garbage: Message<unknown> = {
      encode: () => ({ finish: () => Buffer.from([0x0a, 0xff]) }),
      decode: () => ({}),
    };
    const answer = caller().call(`${PATH}ListNamespaces`, garbage, ws.ListNamespacesResponse, {});
    await expect(answer).rejects.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  it('tells of faults and answers them with INTERNAL', async () => {
    const faults: unknown[] = [];
    const { caller } = await gatewayOn(
      scripted(() => Promise.reject(new TypeError('a bug'))),
      { onFault: (method, error) => void faults.push([method, (error as Error).message]) },
    );
    await expect(caller().namespaces()).rejects.toMatchObject({ code: Code.INTERNAL, details: 'a bug' });
    expect(faults).toEqual([['ListNamespaces', 'a bug']]);
  });

  it('asks for the API key, but not on health checks', async () => {
    const { caller } = await gatewayOn(await testService(), { apiKey: ['old', 'new'] });
    const client = caller();
    await expect(client.namespaces()).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
    await expect(client.namespaces({ metadata: { authorization: 'Bearer wrong' } })).rejects.toMatchObject({
      code: Code.UNAUTHENTICATED,
    });
    await client.namespaces({ metadata: { authorization: 'Bearer old' } });
    await client.namespaces({ metadata: { authorization: 'bearer new' } });
    const { ServingStatus } = grpc.health.v1.HealthCheckResponse;
    expect((await client.health('temporal.api.workflowservice.v1.WorkflowService')).status).toBe(ServingStatus.SERVING);
    expect((await client.health('')).status).toBe(ServingStatus.SERVING);
    await expect(client.health('some.Service')).rejects.toMatchObject({ code: Code.NOT_FOUND });
  });

  it('ends polls with nothing when it closes, and lets other calls end', async () => {
    const service = await testService();
    let slow: (() => void) | undefined;
    const called: string[] = [];
    const { gateway, caller } = await gatewayOn({
      call(method, request, ctx) {
        called.push(method);
        if (method !== 'listNamespaces') return service.call(method, request, ctx);
        return new Promise((resolve) => (slow = () => resolve({ namespaces: [{ isGlobalNamespace: true }] })));
      },
    });
    const client = caller();
    const poll = client.call(
      `${PATH}PollWorkflowTaskQueue`,
      ws.PollWorkflowTaskQueueRequest,
      ws.PollWorkflowTaskQueueResponse,
      { namespace: 'default', taskQueue: { name: 'q' } },
    );
    const other = client.namespaces();
    await expect.poll(() => called.length).toBe(2);
    const closed = gateway.close();
    expect((await poll).taskToken).toHaveLength(0);
    slow?.();
    expect((await other).namespaces).toHaveLength(1);
    await closed;
  });

  it('cuts waits short that do not end by themselves', async () => {
    const { gateway, caller } = await gatewayOn(
      scripted(async (_, __, { signal }) => {
        await once(signal!, 'abort');
        throw new Refusal(Code.CANCELLED, 'context canceled');
      }),
    );
    const waiting = caller().namespaces();
    waiting.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await gateway.close(50);
    await expect(waiting).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  });

  it('says that an address is taken', async () => {
    const { gateway } = await gatewayOn(scripted(() => Promise.resolve({})));
    await expect(
      startGateway({ service: scripted(() => Promise.resolve({})), port: gateway.port }),
    ).rejects.toMatchObject({ code: 'BRANCHLINE_GATEWAY_BIND' });
  });
});
