/** An engine in memory behind a connection that loses requests and answers, for the ownership of ids. */
import type { ConnectionLike } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { grpcError } from '../../shim/client/grpc-error';
import { Code, ServiceError } from '../../shim/service/errors';

type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type DescribeRequest = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionRequest;

/** What becomes of a start on its way. */
export type Fate = 'arrives' | 'arrives late' | 'is lost' | 'loses its answer';

interface Run {
  id: string;
  runId: string;
  open: boolean;
}

const RUNNING = 1;
const TERMINATED = 5;
const REJECT_DUPLICATE = 3;
const USE_EXISTING = 2;
export const LATE_MS = 15;

const refused = (code: Code, message: string): Error => grpcError(new ServiceError(code, message, []));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class MemoryEngine {
  readonly runs: Run[] = [];

  constructor(
    readonly name: string,
    /** Told of each run that begins. */
    private readonly onRun: (id: string) => void,
  ) {}

  openRuns(id: string): number {
    return this.runs.filter((run) => run.id === id && run.open).length;
  }

  close(id: string): void {
    for (const run of this.runs) if (run.id === id) run.open = false;
  }

  /** As one process reaches it. `fateOf`: of the start of that request id. */
  connection(fateOf: (requestId: string) => Fate): ConnectionLike {
    const service = {
      startWorkflowExecution: async (request: StartRequest) => {
        const fate = fateOf(request.requestId!);
        if (fate === 'is lost') throw refused(Code.UNAVAILABLE, 'the request is lost');
        if (fate === 'arrives late') await pause(LATE_MS);
        const answer = this.start(request);
        if (fate === 'loses its answer') throw refused(Code.UNAVAILABLE, 'the answer is lost');
        return answer;
      },
      describeWorkflowExecution: async ({ execution }: DescribeRequest) => {
        await pause(0);
        const run = this.newest(execution!.workflowId!);
        if (run === undefined) throw refused(Code.NOT_FOUND, 'no such workflow');
        return { workflowExecutionInfo: { execution: { runId: run.runId }, status: run.open ? RUNNING : TERMINATED } };
      },
    };
    const connection = {
      workflowService: service,
      operatorService: {},
      withDeadline: (_: unknown, fn: () => Promise<unknown>) => fn(),
    };
    return connection as unknown as ConnectionLike;
  }

  private newest(id: string): Run | undefined {
    return this.runs.filter((run) => run.id === id).at(-1);
  }

  private start({ workflowId, requestId, workflowIdReusePolicy, workflowIdConflictPolicy }: StartRequest): object {
    const id = workflowId!;
    const last = this.newest(id);
    if (last?.runId === requestId) return { runId: requestId };
    if (last?.open === true && workflowIdConflictPolicy === USE_EXISTING) return { runId: last.runId };
    if (last !== undefined && (last.open || workflowIdReusePolicy === REJECT_DUPLICATE)) {
      throw refused(Code.ALREADY_EXISTS, 'it was started already');
    }
    this.runs.push({ id, runId: requestId!, open: true });
    this.onRun(id);
    return { runId: requestId };
  }
}
