import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async execute(input, next) {
        return `intercepted(${String(await next({ ...input, args: input.args.map((arg) => `${String(arg)}!`) }))})`;
      },
    },
  ],
  outbound: [{ getLogAttributes: (input, next) => ({ ...next(input), marked: true }) }],
});
