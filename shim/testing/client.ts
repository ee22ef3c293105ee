/** Clients of a test environment: waiting for a result lets time be skipped. */
import {
  type ClientOptions,
  type TestService,
  WorkflowClient,
  type WorkflowClientOptions,
  type WorkflowResultOptions,
} from '@temporalio/client';
import { Client } from '../client/client';

/** Client options that are the application's to choose in a test environment. */
export type ClientOptionsForTestEnv = Omit<ClientOptions, 'namespace' | 'connection'>;

/** A client whose `workflow` is a {@link TimeSkippingWorkflowClient}. */
export class TimeSkippingClient extends Client {
  constructor(options: ClientOptions) {
    super(options);
    const { options: workflow } = this.workflow;
    (this as { workflow: WorkflowClient }).workflow = new TimeSkippingWorkflowClient({
      ...workflow,
      connection: options.connection,
    } as WorkflowClientOptions);
  }
}

/** A workflow client that unlocks time skipping while it waits for a workflow's result. */
export class TimeSkippingWorkflowClient extends WorkflowClient {
  protected readonly testService: TestService;

  /** @throws TypeError for connections without a test service: those that no time-skipping environment made */
  constructor(options: WorkflowClientOptions) {
    super(options);
    const { testService } = options.connection as { testService?: TestService };
    if (testService === undefined) {
      throw new TypeError('TestService must be present when creating a TimeSkippingWorkflowClient');
    }
    this.testService = testService;
  }

  override async result<T>(workflowId: string, runId?: string, opts?: WorkflowResultOptions): Promise<T> {
    await this.testService.unlockTimeSkipping({});
    try {
      return await super.result(workflowId, runId, opts);
    } finally {
      await this.testService.lockTimeSkipping({});
    }
  }
}
