/** Commands that a server refuses: causes of failed tasks, and what is refused at once. */
import type { temporal } from '@temporalio/proto';
import {
  cancelActivity,
  cancelExternal,
  cancelTimer,
  cancelWorkflow,
  completeWorkflow,
  continueAsNew,
  failWorkflow,
  modifyMemo,
  recordMarker,
  scheduleActivity,
  seconds,
  signalExternal,
  startChild,
  startTimer,
  upsertSearchAttributes,
} from '../harness/commands';
import { payload, payloads } from '../harness/payloads';
import type { Scenario } from '../harness/scenario';

type Command = temporal.api.command.v1.ICommand;
const minus = (value: number) => ({ seconds: -value as never });

/** One bad completion; then the run is completed properly. */
function refused(name: string, covers: Scenario['covers'], ...commands: Command[]): Scenario {
  return {
    name: `commands: ${name}`,
    covers,
    async run(c) {
      const { workflowId } = await c.startRaw();
      const raw = c.raw();
      const answer = await c.outcome(raw.complete(await raw.poll(), [recordMarker('first'), ...commands]));
      const { workflowExecutionInfo } = await c.rpc.describeWorkflowExecution({
        namespace: c.namespace,
        execution: { workflowId },
      });
      if (workflowExecutionInfo?.status === 1) await raw.step([completeWorkflow()]);
      return answer instanceof Error ? answer : 'accepted';
    },
  };
}

const external = { workflowId: 'nobody', runId: '' };

export const commands: Scenario[] = [
  refused('an activity without id', ['C22'], scheduleActivity('')),
  refused('an activity without queue', ['C22'], scheduleActivity('a', { taskQueue: null })),
  refused('an activity without type', ['C22'], scheduleActivity('a', { activityType: null })),
  refused('an activity with an id of 1001 bytes', ['C22'], scheduleActivity('x'.repeat(1001))),
  refused('an activity without timeouts', ['C22', 'C37'], scheduleActivity('a', { startToCloseTimeout: null })),
  refused(
    'an activity with a negative timeout',
    ['C22', 'C37'],
    scheduleActivity('a', { startToCloseTimeout: minus(1) }),
  ),
  refused(
    'an activity with a bad retry policy',
    ['C22', 'C11'],
    scheduleActivity('a', { retryPolicy: { backoffCoefficient: 0.1 } }),
  ),
  refused('two activities with one id', ['C23'], scheduleActivity('a'), scheduleActivity('a')),
  refused('cancelling an activity that does not exist', ['C23'], cancelActivity(77)),
  refused('cancelling an activity without an event id', ['C22', 'C23'], cancelActivity(0)),
  refused('a timer without id', ['C22', 'C54'], startTimer('', 1)),
  refused('a timer with a negative time', ['C22', 'C54'], {
    ...startTimer('t', 1),
    startTimerCommandAttributes: { timerId: 't', startToFireTimeout: minus(1) },
  }),
  refused('a timer without time', ['C22', 'C54'], {
    ...startTimer('t', 1),
    startTimerCommandAttributes: { timerId: 't' },
  }),
  refused('two timers with one id', ['C23', 'C54'], startTimer('t', 60), startTimer('t', 60)),
  refused('cancelling a timer that does not exist', ['C23'], cancelTimer('nothing')),
  refused('cancelling a timer without id', ['C22', 'C23'], cancelTimer('')),
  refused('a marker without name', ['C22'], recordMarker('')),
  refused('a failure without failure', ['C22'], {
    ...failWorkflow(),
    failWorkflowExecutionCommandAttributes: {},
  }),
  refused('completing without attributes', ['C22'], {
    ...completeWorkflow(),
    completeWorkflowExecutionCommandAttributes: null,
  }),
  refused('a child without type', ['C22', 'C61'], startChild('child-of-bad-command', { workflowType: null })),
  refused('a child without id', ['C22', 'C61'], startChild('')),
  refused('a child with a negative timeout', ['C22', 'C61'], startChild('c', { workflowRunTimeout: minus(1) })),
  refused('a child with a bad cron schedule', ['C22', 'C61'], startChild('c', { cronSchedule: 'sometimes' })),
  refused('a signal to nobody in particular', ['C22', 'C57'], signalExternal('')),
  refused('a signal without name', ['C22', 'C57'], signalExternal('other', { signalName: '' })),
  refused(
    'a signal to a run id that is none',
    ['C22', 'C57'],
    signalExternal('other', { execution: { workflowId: 'other', runId: 'no-uuid' } }),
  ),
  refused('a cancel to nobody in particular', ['C22', 'C57'], cancelExternal('')),
  refused(
    'a cancel to a run id that is none',
    ['C22', 'C57'],
    cancelExternal(external.workflowId, { runId: 'no-uuid' }),
  ),
  refused('an unknown search attribute', ['C22', 'C97'], upsertSearchAttributes({ Unregistered: payload('x') })),
  refused('a system search attribute', ['C22', 'C97'], upsertSearchAttributes({ WorkflowType: payload('x') })),
  refused('a search attribute of another type', ['C22', 'C97'], upsertSearchAttributes({ ScenarioInt: payload('x') })),
  refused('no search attributes', ['C22', 'C97'], upsertSearchAttributes({})),
  refused('a memo without anything', ['C22', 'C98'], modifyMemo({})),
  refused('continue-as-new with a negative timeout', ['C22', 'C67'], continueAsNew({ workflowRunTimeout: minus(1) })),
  refused(
    'continue-as-new with an unknown search attribute',
    ['C22', 'C67'],
    continueAsNew({ searchAttributes: { indexedFields: { Unregistered: payload(1) } } }),
  ),
  refused(
    'continue-as-new to another type and queue',
    ['C67'],
    continueAsNew({ workflowType: { name: 'x'.repeat(1001) } }),
  ),
  refused('a command behind the completion', ['C24'], completeWorkflow(), recordMarker('behind')),
  refused('two close commands', ['C24'], completeWorkflow(), failWorkflow()),
  refused('a cancel command, then a timer', ['C24'], cancelWorkflow(), startTimer('t', 1)),
  refused('a result of more than two mebibytes', ['C25'], completeWorkflow('x'.repeat(2 * 1024 * 1024 + 100))),
  refused(
    'an activity with more than two mebibytes',
    ['C25'],
    scheduleActivity('a', { input: payloads('x'.repeat(2 * 1024 * 1024 + 100)) }),
  ),
  refused('a marker with more than two mebibytes', ['C25'], recordMarker('m', 'x'.repeat(2 * 1024 * 1024 + 100))),
  {
    name: 'more than two thousand pending activities',
    covers: ['C25'],
    async run(c) {
      await c.startRaw({ workflowTaskTimeout: seconds(60) });
      const raw = c.raw();
      const many = Array.from({ length: 2001 }, (_, i) => scheduleActivity(`a${i}`));
      const answer = await c.outcome(raw.complete(await raw.poll(), many));
      await raw.step([completeWorkflow()]);
      return answer instanceof Error ? answer : 'accepted';
    },
  },
  refused('a completion without any result', ['C17'], {
    commandType: completeWorkflow().commandType,
    completeWorkflowExecutionCommandAttributes: {},
  }),
  refused(
    'all kinds of markers and properties are not held back',
    ['C17', 'C98'],
    recordMarker('second', { deep: true }),
    upsertSearchAttributes({
      ScenarioInt: { ...payload(5), metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Int') } },
    }),
    modifyMemo({ note: payload('n'), gone: { metadata: { encoding: Buffer.from('binary/null') } } }),
    startTimer('t', 0.001),
  ),
];
