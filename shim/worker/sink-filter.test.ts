import { noopMetricMeter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { DefaultLogger } from './logger';
import { sinkFilter } from './sink-filter';
import { loggerSink, metricSink } from './sinks';

const filter = (logger: DefaultLogger, extra = {}, measured = false) =>
  sinkFilter({ ...loggerSink(logger), ...metricSink(noopMetricMeter), ...extra }, logger, measured);

describe('sink calls that leave their thread', () => {
  it('are those of functions the user registered', () => {
    const user = { mine: { a: { fn: () => undefined, callDuringReplay: true }, b: { fn: () => undefined } } };
    expect(filter(new DefaultLogger('INFO'), user).mine).toEqual({
      a: { callDuringReplay: true },
      b: { callDuringReplay: false },
    });
  });

  it('leave out messages below the level of the logger, and metrics while nobody measures', () => {
    const { __temporal_logger: log, __temporal_metrics: metrics } = filter(new DefaultLogger('WARN'));
    expect(
      Object.entries(log!)
        .filter(([, use]) => use === 'dropped')
        .map(([level]) => level),
    ).toEqual(['trace', 'debug', 'info']);
    expect(new Set(Object.values(metrics!))).toEqual(new Set(['dropped']));
    const measured = filter(new DefaultLogger('WARN'), {}, true).__temporal_metrics!;
    expect(Object.values(measured)).not.toContain('dropped');
  });

  it('leave out nothing for a logger or sink of its own', () => {
    class Own extends DefaultLogger {}
    const fn = { fn: () => undefined };
    const sink = { __temporal_logger: { debug: fn }, defaultWorkerLogger: { debug: fn } };
    expect(filter(new Own('ERROR')).__temporal_logger!.debug).not.toBe('dropped');
    expect(filter(new DefaultLogger('ERROR'), sink).__temporal_logger!.debug).not.toBe('dropped');
  });
});
