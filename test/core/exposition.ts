/**
 * Reads Prometheus's text exposition format by its rules (version 0.0.4), and the conventions for names: an answer is either the samples, or what is wrong.
 * https://prometheus.io/docs/instrumenting/exposition_formats, https://prometheus.io/docs/practices/naming
 */

export interface Exposed {
  readonly kind: string;
  readonly help: string;
  /** By labels, sorted by name: `queue=mail,state=ready`. */
  readonly samples: ReadonlyMap<string, number>;
}
interface Family {
  kind: string | undefined;
  help: string | undefined;
  readonly samples: Map<string, number>;
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const kinds = ["counter", "gauge", "histogram", "summary", "untyped"];

/** Throws where a scraper would refuse the text, or a reviewer its names. */
export function readExposition(text: string): ReadonlyMap<string, Exposed> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  let current: string | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const name = nameIn(line);
    if (name !== current && families.has(name)) throw new Error(`the lines of ${name} are not together: ${line}`);
    current = name;
    const family = families.get(name) ?? { kind: undefined, help: undefined, samples: new Map<string, number>() };
    families.set(name, family);
    if (line.startsWith("# HELP ")) takeHelp(family, line);
    else if (line.startsWith("# TYPE ")) takeKind(family, line);
    else takeSample(family, line);
  }
  return new Map([...families].map(([name, family]) => [name, whole(name, family)]));
}

function nameIn(line: string): string {
  const name = line.startsWith("# ") ? line.split(" ")[2] : /^[^{ ]*/.exec(line)?.[0];
  if (name === undefined || !metricName.test(name)) throw new Error(`no metric name in ${line}`);
  return name;
}

function takeHelp(family: Family, line: string): void {
  if (family.help !== undefined || family.kind !== undefined || family.samples.size > 0) throw new Error(`HELP comes twice or late: ${line}`);
  family.help = unescaped(line.split(" ").slice(3).join(" "), "\\n");
}

function takeKind(family: Family, line: string): void {
  const kind = line.split(" ").slice(3).join(" ");
  if (family.kind !== undefined || family.samples.size > 0) throw new Error(`TYPE comes twice or late: ${line}`);
  if (!kinds.includes(kind)) throw new Error(`no type: ${line}`);
  family.kind = kind;
}

function takeSample({ samples }: Family, line: string): void {
  const [, braced = "", value = ""] = /^[^{ ]+(\{.*\})? (\S+)$/.exec(line) ?? [];
  if (!/^(?:[-+]?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Inf)|NaN)$/.test(value)) throw new Error(`no value: ${line}`);
  const labels = labelsIn(braced.slice(1, -1), line);
  const key = [...labels]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${name}=${text}`)
    .join(",");
  if (samples.has(key)) throw new Error(`a second sample of the same labels: ${line}`);
  samples.set(key, Number(value.replace("Inf", "Infinity")));
}

function labelsIn(text: string, line: string): Map<string, string> {
  const labels = new Map<string, string>();
  let rest = text;
  while (rest !== "") {
    const [pair = "", name = "", value = ""] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/.exec(rest) ?? [];
    if (pair === "" || name.startsWith("__")) throw new Error(`no label at ${rest}: ${line}`);
    if (labels.has(name)) throw new Error(`label ${name} comes twice: ${line}`);
    labels.set(name, unescaped(value, '\\n"'));
    rest = rest.slice(pair.length);
  }
  return labels;
}

/** `known`: what may stand behind a backslash. */
function unescaped(text: string, known: string): string {
  return text.replaceAll(/\\(.?)/gs, (_, letter: string) => {
    if (letter === "" || !known.includes(letter)) throw new Error(`\\${letter} is no escape: ${text}`);
    return letter === "n" ? "\n" : letter;
  });
}

function whole(name: string, { kind, help, samples }: Family): Exposed {
  if (kind === undefined || help === undefined || help === "") throw new Error(`${name} lacks its HELP or TYPE`);
  if (samples.size === 0) throw new Error(`${name} has no samples`);
  if ((kind === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${kind}: counters, and only they, end in _total`);
  if (kind === "counter" && [...samples.values()].some((value) => !(value >= 0))) throw new Error(`${name} counts downwards`);
  const names = new Set([...samples.keys()].map((key) => key.replaceAll(/=[^,]*/g, "")));
  if (names.size > 1) throw new Error(`${name} has samples of different labels: ${[...names].join(" | ")}`);
  return { kind, help, samples };
}
