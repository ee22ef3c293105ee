import { ApplicationFailure, activityInfo, heartbeat, sleep } from 'branchline/activity';
import type { Pool } from 'pg';
import type { Invoice, Receipt } from './workflows';

export type Plan = 'starter' | 'team';
const CENTS: Record<Plan, number> = { starter: 900, team: 2900 };

export const BUSINESS_TABLES = `
  CREATE SCHEMA IF NOT EXISTS business;
  CREATE TABLE IF NOT EXISTS business.tenants (
    name text PRIMARY KEY, email text NOT NULL, plan text NOT NULL,
    state text NOT NULL CHECK (state IN ('reserved', 'active', 'released', 'finished', 'cancelled')));
  CREATE TABLE IF NOT EXISTS business.ledger (
    entry text PRIMARY KEY, tenant text NOT NULL, cents integer NOT NULL, attempts integer NOT NULL, at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE IF NOT EXISTS business.mail (id bigint GENERATED ALWAYS AS IDENTITY, recipient text NOT NULL, body text NOT NULL);
`;

/** The effects of the application. Each is safe to repeat: an attempt may be lost after it wrote. */
export function billingActivities(db: Pool) {
  const setState = (tenant: string, state: string): Promise<unknown> =>
    db.query('UPDATE business.tenants SET state = $2 WHERE name = $1', [tenant, state]);

  return {
    async reserveTenant(tenant: string, email: string, plan: Plan): Promise<void> {
      await db.query(
        `INSERT INTO business.tenants VALUES ($1, $2, $3, 'reserved') ON CONFLICT (name) DO UPDATE SET email = $2, plan = $3`,
        [tenant, email, plan],
      );
    },
    async releaseTenant(tenant: string): Promise<void> {
      await setState(tenant, 'released');
    },
    async activateTenant(tenant: string): Promise<void> {
      await setState(tenant, 'active');
    },
    async closeTenant(tenant: string, state: 'finished' | 'cancelled'): Promise<void> {
      await setState(tenant, state);
    },
    async sendMail(recipient: string, body: string): Promise<void> {
      await db.query('INSERT INTO business.mail (recipient, body) VALUES ($1, $2)', [recipient, body]);
    },
    async price(plan: Plan): Promise<number> {
      return CENTS[plan];
    },
    /** The processor of tenants named `flaky…` fails twice; the ledger's key makes a repeated charge one charge. */
    async chargeCard(invoice: Invoice): Promise<Receipt> {
      const { attempt } = activityInfo();
      heartbeat({ attempt });
      await sleep(150);
      if (invoice.tenant.startsWith('flaky') && attempt < 3)
        throw new Error(`card processor is down (attempt ${attempt})`);
      if (CENTS[invoice.plan] === undefined) throw ApplicationFailure.nonRetryable('no such plan', 'CardDeclined');
      const cents = CENTS[invoice.plan] + invoice.units;
      const { rows } = await db.query<{ cents: number; attempts: number }>(
        `INSERT INTO business.ledger (entry, tenant, cents, attempts) VALUES ($1, $2, $3, $4)
         ON CONFLICT (entry) DO UPDATE SET attempts = business.ledger.attempts RETURNING cents, attempts`,
        [`charge-${invoice.tenant}-${invoice.period}`, invoice.tenant, cents, attempt],
      );
      return rows[0]!;
    },
    async refund(tenant: string, period: number, cents: number): Promise<number> {
      if (cents === 0) return 0;
      await db.query(
        `INSERT INTO business.ledger (entry, tenant, cents, attempts) VALUES ($1, $2, $3, $4) ON CONFLICT (entry) DO NOTHING`,
        [`refund-${tenant}-${period}`, tenant, -cents, activityInfo().attempt],
      );
      return cents;
    },
  };
}

export type BillingActivities = ReturnType<typeof billingActivities>;
