/** Rhythms that a transition may disturb: times before, in and after what it passes over or repeats, each in several forms. */
import type { Transition } from "./transitions.ts";

const minuteMs = 60_000;

/** How errand is told, and what the oracle is asked. */
export interface Case {
  readonly rhythm: string;
  readonly cron?: string;
  readonly everyMs?: number;
}

const days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;

export function rhythmsAround({ face, byMs }: Transition): Case[] {
  const [low, high] = [Math.min(face, face + byMs), Math.max(face, face + byMs)];
  const faces = [low - 30 * minuteMs, low, (low + high) / 2, high - minuteMs, high, high + 25 * minuteMs];
  return [...intervals, ...hourly(low, high), ...faces.flatMap(named), ...hoursNamed(low, high)];
}

const intervals: readonly Case[] = (
  [
    ["7m", 7],
    ["15m", 15],
    ["1h", 60],
    ["90m", 90],
    ["1d", 1_440],
  ] as const
).map(([rhythm, minutes]) => ({ rhythm, everyMs: minutes * minuteMs }));

/** Open hours: they follow the hands. */
function hourly(low: number, high: number): Case[] {
  const inside = new Date((low + high) / 2).getUTCMinutes();
  return ["* * * * *", "*/15 * * * *", "7-59/20 * * * *", "0 * * * *", "30 * * * *", `${inside} * * * *`, `${inside} * * * 0,6`].map(cron);
}

/** One time of day: every day, on one day of the week, of the month, of the year. */
function named(face: number): Case[] {
  const date = new Date(face);
  const [minute, hour, weekday] = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDay()];
  const time = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
  return [
    { rhythm: `day at ${time}`, cron: `${minute} ${hour} * * *` },
    { rhythm: `weekday at ${time}`, cron: `${minute} ${hour} * * 1-5` },
    { rhythm: `${days[weekday]} at ${time}`, cron: `${minute} ${hour} * * ${weekday}` },
    cron(`${minute} ${hour} ${date.getUTCDate()} * *`),
    cron(`${minute} ${hour} ${date.getUTCDate()} ${date.getUTCMonth() + 1} *`),
    cron(`${minute} ${hour} 1 * ${weekday}`),
  ];
}

/** Several times of named hours, as lists, ranges and steps. */
function hoursNamed(low: number, high: number): Case[] {
  const [first, last] = [new Date(low).getUTCHours(), new Date(high).getUTCHours()];
  const [from, to] = first <= last ? [first, last] : [last, first];
  return [
    `* ${first} * * *`,
    `*/10 ${from}-${to} * * *`,
    `0,30 ${from}-${to} * * *`,
    `5,20,50 ${first} * * *`,
    "0 */2 * * *",
    "40 */3 * * *",
    `*/25 ${last} * * *`,
  ].map(cron);
}

function cron(pattern: string): Case {
  return { rhythm: pattern, cron: pattern };
}
