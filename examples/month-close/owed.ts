/** What a customer owes for a month, worked out a second time and another way than the app does: the audit must not repeat its mistakes. */
import { currencies, type Currency } from "./currencies.ts";
import type { Customer } from "./customers.ts";

const calendars = new Map<string, Intl.DateTimeFormat>();

/** Looks each use up in the calendar on the customer's wall. */
export function dueOf({ usage, zone, plan }: Customer, currency: Currency, month: string): number {
  const calendar = calendarOf(zone);
  const calls = usage.filter(({ at }) => calendar.format(at).startsWith(month)).reduce((sum, use) => sum + use.calls, 0);
  const { plans, perThousandCalls } = currencies[currency];
  const thousandths = calls * perThousandCalls;
  const isRoundedUp = thousandths % 1_000 >= 500;
  return (plans[plan] ?? 0) + Math.trunc(thousandths / 1_000) + (isRoundedUp ? 1 : 0);
}

/** sv-SE writes 2026-10-31. */
function calendarOf(zone: string): Intl.DateTimeFormat {
  const known = calendars.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  calendars.set(zone, made);
  return made;
}
