/** Lengths of time as people write them: "500ms", "30s", "5m", "1.5h", "7d". */
import { delayMaxMs } from "./defaults.ts";
import { ErrandError } from "./errors.ts";
import type { Ms } from "./runtime.ts";

export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Whole milliseconds. Throws `option-invalid`: not a duration, negative, or above ten years. */
export function durationMs(text: Duration, owner: string): Ms {
  const match = typeof text === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) : null;
  const ms = match === null ? Number.NaN : Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs]);
  if (!(ms <= delayMaxMs)) {
    throw new ErrandError(
      "option-invalid",
      `${owner} is ${shown(text)}, which is no duration of up to ten years; write a number and ms, s, m, h or d, as in "10m"`,
      { details: { option: owner } },
    );
  }
  return ms;
}

/** "8 s", "1 h 5 min": for messages. */
export function inWords(ms: Ms): string {
  if (ms < 1_000) return `${ms} ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000);
  for (const [size, unit] of [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count} ${unit}`);
    rest -= count * size;
  }
  return parts.slice(0, 2).join(" ");
}

function shown(value: unknown): string {
  return typeof value === "string" ? `"${value.slice(0, 40)}"` : String(value);
}
