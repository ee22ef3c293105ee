/** A process that moves a schedule to and fro between the engines until it kills itself, just before or after a step (KILL, `before:cut`) is written down. */
import { Connection as TemporalConnection } from '@temporalio/client';
import { Connection } from 'branchline/client';
import { RoutedConnection } from 'branchline/router';

const {
  DATABASE_URL: url,
  SCHEMA: schema,
  TEMPORAL: address,
  SCHEDULE: scheduleId = '',
  KILL: kill = '',
} = process.env;

async function main(): Promise<void> {
  const temporal = await TemporalConnection.connect({ address });
  const postgres = await Connection.connect({ url, schema });
  const routed = await RoutedConnection.connect({ temporal, postgres, routes: { default: 'temporal' } });
  const { scheduleMoves: store } = (await postgres.service()).parts.store;
  const save = store.save.bind(store);
  const [when, step] = kill.split(':');
  store.save = async (id, holder, holdMs, next) => {
    if (when === 'before' && next.step === step) process.kill(process.pid, 'SIGKILL');
    const saved = await save(id, holder, holdMs, next);
    if (when === 'after' && next.step === step) process.kill(process.pid, 'SIGKILL');
    return saved;
  };
  for (;;) {
    const [open] = await routed.scheduleMoves.open();
    const on = await routed.engineOf('default', scheduleId, 'schedule');
    const to = open?.to ?? (on === 'temporal' ? 'postgres' : 'temporal');
    await routed.scheduleMoves.move(scheduleId, { to, by: 'a test' });
  }
}

process.on('disconnect', () => process.exit(0));
main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
