import assert from "node:assert/strict";
import { test } from "node:test";
import { asOf } from "../../examples/month-close/asOf.ts";
import { month } from "../../examples/month-close/clock.ts";
import { countries } from "../../examples/month-close/countries.ts";
import { currencies, type Currency } from "../../examples/month-close/currencies.ts";
import { customersOf } from "../../examples/month-close/customers.ts";
import { readLetter } from "../../examples/month-close/letterReading.ts";
import { money, perThousand } from "../../examples/month-close/money.ts";
import { monthAfter, startOfMonth } from "../../examples/month-close/zones.ts";

for (const { zone, at, locale, told } of [
  { zone: "America/Los_Angeles", at: "2026-11-01T08:30:00Z", locale: "en-US", told: "November 1, 2026 at 1:30:00 AM (UTC−07:00, America/Los_Angeles)" },
  { zone: "America/Los_Angeles", at: "2026-11-01T09:30:00Z", locale: "en-US", told: "November 1, 2026 at 1:30:00 AM (UTC−08:00, America/Los_Angeles)" },
  { zone: "Europe/Berlin", at: "2026-10-25T00:30:00Z", locale: "de-DE", told: "25. Oktober 2026 um 02:30:00 (UTC+02:00, Europe/Berlin)" },
  { zone: "Europe/Berlin", at: "2026-10-25T01:30:00Z", locale: "de-DE", told: "25. Oktober 2026 um 02:30:00 (UTC+01:00, Europe/Berlin)" },
  { zone: "Australia/Lord_Howe", at: "2026-04-04T14:45:00Z", locale: "en-AU", told: "5 April 2026 at 1:45:00 am (UTC+11:00, Australia/Lord_Howe)" },
  { zone: "Australia/Lord_Howe", at: "2026-04-04T15:15:00Z", locale: "en-AU", told: "5 April 2026 at 1:45:00 am (UTC+10:30, Australia/Lord_Howe)" },
  { zone: "Asia/Kathmandu", at: "2026-11-01T00:00:00Z", locale: "en-GB", told: "1 November 2026 at 05:45:00 (UTC+05:45, Asia/Kathmandu)" },
])
  test(`${at} is ${told}, and no other instant is`, () => assert.equal(asOf(Date.parse(at), locale, zone).replaceAll("\u{202f}", " "), told));

for (const { amount, currency, locale, text } of [
  { amount: 123_450, currency: "EUR", locale: "de-DE", text: "1.234,50 €" },
  { amount: 1_234, currency: "JPY", locale: "ja-JP", text: "￥1,234" },
  { amount: 1_250, currency: "KWD", locale: "en-GB", text: "KWD 1.250" },
  { amount: 5, currency: "KWD", locale: "en-GB", text: "KWD 0.005" },
  { amount: 10_000_000, currency: "INR", locale: "en-IN", text: "₹1,00,000.00" },
  { amount: -7, currency: "USD", locale: "en-US", text: "-$0.07" },
  { amount: 9_007_199_254_740_991, currency: "USD", locale: "en-US", text: "$90,071,992,547,409.91" },
] as const)
  test(`${amount} of the smallest unit of ${currency} is ${text} in ${locale}`, () =>
    assert.equal(money(amount, currency, locale).replaceAll(/[\u{a0}\u{202f}]/gu, " "), text));

test("an amount is written with all decimals that ISO 4217 gives its currency, whatever is customary", () => {
  const others: Readonly<Record<string, number>> = { CLP: 0, ISK: 0, JPY: 0, KRW: 0, KWD: 3, TND: 3 };
  for (const currency of Object.keys(currencies) as Currency[]) {
    const [, decimals = ""] = /(?:\.(\d+))?$/.exec(money(1_234_567, currency, "en")) ?? [];
    assert.deepEqual([decimals.length, currencies[currency].digits], [others[currency] ?? 2, others[currency] ?? 2], currency);
  }
});

test("a share is rounded half up, in whole units", () => {
  assert.deepEqual([perThousand(1, 499), perThousand(1, 500), perThousand(60_000, 13_333)], [0, 1, 799_980]);
});

for (const { of, zone, starts } of [
  { of: "2026-10", zone: "Asia/Tokyo", starts: "2026-09-30T15:00:00.000Z" },
  { of: "2026-11", zone: "America/Los_Angeles", starts: "2026-11-01T07:00:00.000Z" },
  { of: "2026-11", zone: "America/Havana", starts: "2026-11-01T04:00:00.000Z" }, // midnight comes twice that night: it starts with the first
  { of: "2027-01", zone: "Pacific/Auckland", starts: "2026-12-31T11:00:00.000Z" },
])
  test(`${of} starts in ${zone} at ${starts}`, () => assert.equal(new Date(startOfMonth(of, zone)).toISOString(), starts));

test("customers are the same for the same seed, and some of their use lies a second on either side of their month's ends", () => {
  const customers = customersOf(month, 200, "1");
  assert.deepEqual(customers, customersOf(month, 200, "1"));
  assert.notDeepEqual(customers, customersOf(month, 200, "2"));
  for (const { zone, usage } of customers) {
    const [start, end] = [startOfMonth(month, zone), startOfMonth(monthAfter(month), zone)];
    const at = usage.map((use) => use.at);
    assert.ok([start - 1_000, start, end - 1_000, end].every((edge) => at.includes(edge)));
  }
});

test("a letter's amount and instant can be read back in every country's script", () => {
  for (const { locale, currency, zones } of countries) {
    for (const zone of zones) {
      const text = `Somebody, thank you: ${money(1_234_567, currency, locale)} was paid for 2026-10, as of ${asOf(Date.UTC(2026, 10, 1, 9, 0, 5), locale, zone)}.`;
      assert.deepEqual(readLetter(text, zone), { digits: "1234567", isUnambiguous: true }, text);
    }
  }
});

test("a letter without an offset, or with the wrong zone, is told to be ambiguous", () => {
  const zone = "America/Los_Angeles";
  assert.equal(readLetter("Somebody, thank you: $1.00 was paid, as of November 1, 2026 at 1:30:00 AM.", zone).isUnambiguous, false);
  assert.equal(readLetter(`Somebody, thank you: $1.00 was paid, as of ${asOf(0, "en-US", "Europe/Berlin")}.`, zone).isUnambiguous, false);
});
