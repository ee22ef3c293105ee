import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ParentClosePolicy,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
} from 'branchline/workflow';
import type { BillingActivities, Plan } from './activities';

const { reserveTenant, releaseTenant, activateTenant, closeTenant, sendMail, chargeCard, refund, price } =
  proxyActivities<BillingActivities>({
    startToCloseTimeout: '2 seconds',
    retry: { initialInterval: '200 milliseconds', backoffCoefficient: 1.5, maximumInterval: '1 second' },
  });

export interface SignUpInput {
  tenant: string;
  email: string;
  plan: Plan;
  /** How long the confirmation mail is valid. */
  confirmWithinMs: number;
  trialMs: number;
  periodMs: number;
  periods: number;
}
export interface SignUpResult {
  tenant: string;
  outcome: 'active' | 'expired';
  subscriptionId?: string;
}
export interface SubscriptionResult {
  tenant: string;
  outcome: 'finished' | 'cancelled';
  plan: Plan;
  chargedCents: number;
  refundedCents: number;
  periodsPaid: number;
}
export interface Usage {
  plan: Plan;
  unitsThisPeriod: number;
  unitsInAll: number;
  periodsPaid: number;
  inTrial: boolean;
}
export interface Invoice {
  tenant: string;
  period: number;
  plan: Plan;
  units: number;
}
export interface Receipt {
  cents: number;
  attempts: number;
}

export const confirmEmail = defineSignal<[code: string]>('confirmEmail');
export const recordUsage = defineSignal<[units: number]>('recordUsage');
export const usage = defineQuery<Usage>('usage');
export const changePlan = defineUpdate<{ from: Plan; to: Plan }, [plan: Plan]>('changePlan');

/** Holds the name, asks for confirmation, and hands over to a subscription that outlives it. */
export async function signUp(input: SignUpInput): Promise<SignUpResult> {
  let confirmed = false;
  const code = `${workflowInfo().runId.slice(0, 4)}`;
  setHandler(confirmEmail, () => {
    confirmed = true;
  });

  await reserveTenant(input.tenant, input.email, input.plan);
  await sendMail(input.email, `Please confirm ${input.tenant}: ${code}`);
  if (!(await condition(() => confirmed, input.confirmWithinMs))) {
    await releaseTenant(input.tenant);
    return { tenant: input.tenant, outcome: 'expired' };
  }
  await activateTenant(input.tenant);
  const child = await startChild(subscription, {
    workflowId: `subscription-${input.tenant}`,
    args: [input],
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
  return { tenant: input.tenant, outcome: 'active', subscriptionId: child.workflowId };
}

/** A trial, then paid periods. Cancelling refunds the period in progress and closes the account. */
export async function subscription(input: SignUpInput): Promise<SubscriptionResult> {
  const { tenant } = input;
  let plan = input.plan;
  let units = 0;
  let unitsInAll = 0;
  let periodsPaid = 0;
  let inTrial = true;
  let chargedCents = 0;
  let lastCents = 0;

  setHandler(recordUsage, (n) => {
    units += n;
    unitsInAll += n;
  });
  setHandler(usage, () => ({ plan, unitsThisPeriod: units, unitsInAll, periodsPaid, inTrial }));
  setHandler(
    changePlan,
    async (to) => {
      const from = plan;
      plan = to;
      await sendMail(input.email, `Your plan is now ${to}, ${await price(to)} cents a period`);
      return { from, to };
    },
    {
      validator(to) {
        if (to === plan) throw ApplicationFailure.nonRetryable(`${tenant} is on ${to} already`, 'SamePlan');
      },
    },
  );

  const result = (outcome: SubscriptionResult['outcome'], refundedCents: number): SubscriptionResult => ({
    tenant,
    outcome,
    plan,
    chargedCents,
    refundedCents,
    periodsPaid,
  });

  try {
    await condition(() => false, input.trialMs);
    inTrial = false;
    for (let period = 1; period <= input.periods; period++) {
      // A charge that has begun is seen through: a cancellation waits for its receipt, so that the refund is the right one.
      const receipt = await CancellationScope.nonCancellable(() =>
        executeChild(charge, {
          workflowId: `charge-${tenant}-${period}`,
          args: [{ tenant, period, plan, units }],
        }),
      );
      units = 0;
      chargedCents += receipt.cents;
      lastCents = receipt.cents;
      periodsPaid = period;
      await condition(() => false, input.periodMs);
    }
    await CancellationScope.nonCancellable(() => closeTenant(tenant, 'finished'));
    return result('finished', 0);
  } catch (err) {
    if (!isCancellation(err)) throw err;
    log.info('subscription cancelled, compensating', { tenant });
    return await CancellationScope.nonCancellable(async () => {
      const refunded = inTrial ? 0 : await refund(tenant, periodsPaid, Math.floor(lastCents / 2));
      await closeTenant(tenant, 'cancelled');
      await sendMail(input.email, `Goodbye. We gave back ${refunded} cents`);
      return result('cancelled', refunded);
    });
  }
}

/** One invoice. The card processor is flaky: the activity is retried by its policy; a declined card is final. */
export async function charge(invoice: Invoice): Promise<Receipt> {
  try {
    return await chargeCard(invoice);
  } catch (err) {
    if (
      err instanceof ActivityFailure &&
      err.cause instanceof ApplicationFailure &&
      err.cause.type === 'CardDeclined'
    ) {
      await sendMail(invoice.tenant, `Your card was declined for period ${invoice.period}`);
    }
    throw err;
  }
}
