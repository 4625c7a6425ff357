/** When a schedule is due, as people write it: "15m", "day at 03:00", or a cron pattern. */
import { scheduleEveryLeastMs } from "../defaults.ts";
import { durationMs, type Duration } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import type { Ms } from "../runtime.ts";
import { patternOf, type Pattern } from "./cron.ts";

type Day = "day" | "weekday" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday";
/** The last is cron: five fields, or six with seconds in front. */
export type Rhythm = Duration | `${Day} at ${number}:${number}` | `${string} ${string} ${string} ${string} ${string}`;

/** Of a zone, unless it is an interval. */
export type ParsedRhythm = { readonly is: "interval"; readonly everyMs: Ms } | { readonly is: "pattern"; readonly pattern: Pattern };

const daysOfWeek: Readonly<Record<Day, string>> = {
  day: "*",
  weekday: "1-5",
  monday: "1",
  tuesday: "2",
  wednesday: "3",
  thursday: "4",
  friday: "5",
  saturday: "6",
  sunday: "0",
};

/** Throws `rhythm-invalid`. */
export function rhythmOf(text: unknown, owner: string): ParsedRhythm {
  if (typeof text !== "string") throw invalid(text, owner);
  const daily = /^([a-z]+) at (\d{1,2}):(\d{2})$/.exec(text);
  if (daily !== null) return dailyOf(text, daily, owner);
  if (/^\d[\d.]*[a-z]+$/.test(text)) return intervalOf(text, owner);
  if (text.trim().split(/\s+/).length < 5) throw invalid(text, owner);
  return { is: "pattern", pattern: patternOf(text.trim(), owner) };
}

function dailyOf(text: string, [, day = "", hour, minute]: RegExpExecArray, owner: string): ParsedRhythm {
  if (!Object.hasOwn(daysOfWeek, day)) {
    throw new ErrandError("rhythm-invalid", `${owner} is "${text}", and "${day}" is no day; write ${Object.keys(daysOfWeek).join(", ")}`, {
      details: { rhythm: text },
    });
  }
  if (Number(hour) > 23 || Number(minute) > 59)
    throw new ErrandError("rhythm-invalid", `${owner} is "${text}", and no clock shows that; write a time from 00:00 to 23:59`, { details: { rhythm: text } });
  return { is: "pattern", pattern: patternOf(`${Number(minute)} ${Number(hour)} * * ${daysOfWeek[day as Day]}`, owner) };
}

function intervalOf(text: string, owner: string): ParsedRhythm {
  let everyMs: Ms;
  try {
    everyMs = durationMs(text as Duration, owner);
  } catch {
    throw invalid(text, owner);
  }
  if (everyMs >= scheduleEveryLeastMs) return { is: "interval", everyMs };
  throw new ErrandError("rhythm-invalid", `${owner} is "${text}", and no schedule comes more often than each second; write "1s" or longer`, {
    details: { rhythm: text },
  });
}

function invalid(given: unknown, owner: string): ErrandError {
  const shown = typeof given === "string" ? `"${given.slice(0, 80)}"` : String(given);
  return new ErrandError(
    "rhythm-invalid",
    `${owner} is ${shown}, which is no rhythm; write "15m", "day at 03:00", "monday at 09:30" or cron, as in "30 2 * * 1-5"`,
    {
      details: { rhythm: given },
    },
  );
}
