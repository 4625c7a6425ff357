/** Prometheus's text exposition format, version 0.0.4: what a scraper reads. */
import type { Metric, MetricSample } from "./metric.ts";

/**
 * Prints metrics as a Prometheus server scrapes them; serve it as `text/plain; version=0.0.4`. Metrics of the same name, as of two brokers of a process,
 * are printed as one: give their samples a label that tells them apart.
 *
 *     http.createServer(async (request, response) => {
 *       response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
 *       response.end(prometheusText(await work.metrics()));
 *     });
 */
export function prometheusText(metrics: readonly Metric[]): string {
  const families = [...Map.groupBy(metrics, ({ name }) => name).values()];
  return families.map(familyText).join("");
}

/** One without samples is not told at all. */
function familyText(family: readonly Metric[]): string {
  const [first] = family;
  const samples = family.flatMap((metric) => metric.samples);
  if (first === undefined || samples.length === 0) return "";
  const { name, kind, help } = first;
  const lines = samples.map((sample) => `${name}${labelsText(sample)} ${valueText(sample.value)}\n`);
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

function labelsText({ labels }: MetricSample): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function valueText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}
