/** Numbers for whoever watches, in the words of Prometheus and OpenMetrics: names in base units, counters that end in `_total`. */
import { metricSamplesMax } from "../defaults.ts";

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One family of samples: each has the same label names, and other label values. */
export interface Metric {
  /** As in `errand_runs_total`. */
  readonly name: string;
  /** A counter only grows while the process lives. */
  readonly kind: "counter" | "gauge";
  readonly help: string;
  /** Absent: it counts things. */
  readonly unit?: "seconds";
  readonly samples: readonly MetricSample[];
}

export interface MetricsOptions {
  /** store: what all processes share, as the store tells it. process: what this one did and holds, without asking the store. Default: both. */
  readonly of?: "store" | "process";
}

const leftOutName = "errand_metric_samples_left_out";

/** Whatever names an app makes up, nothing here grows without end; what is left out is told. */
export function bounded(metrics: readonly Metric[]): readonly Metric[] {
  const full = metrics.filter(({ samples }) => samples.length > metricSamplesMax);
  const leftOut: Metric = {
    name: leftOutName,
    kind: "gauge",
    help: `Samples of a metric beyond the first ${metricSamplesMax}, which are not told.`,
    samples: full.map(({ name, samples }) => ({ labels: { metric: name }, value: samples.length - metricSamplesMax })),
  };
  return [...metrics.map((metric) => (full.includes(metric) ? { ...metric, samples: metric.samples.slice(0, metricSamplesMax) } : metric)), leftOut];
}
