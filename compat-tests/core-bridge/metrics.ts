/** Metrics of the native runtime: taken and forgotten, as Branchline has none of its exporters. */
const nothing = (): object => ({});

export const newMetricCounter = nothing;
export const newMetricHistogram = nothing;
export const newMetricHistogramF64 = nothing;
export const newMetricGauge = nothing;
export const newMetricGaugeF64 = nothing;
export const newMetricUpDownCounter = nothing;
export const addMetricCounterValue = nothing;
export const recordMetricHistogramValue = nothing;
export const recordMetricHistogramF64Value = nothing;
export const setMetricGaugeValue = nothing;
export const setMetricGaugeF64Value = nothing;
export const addMetricUpDownCounterValue = nothing;
export const runtimeRetrieveBufferedMetrics = (): unknown[] => [];
