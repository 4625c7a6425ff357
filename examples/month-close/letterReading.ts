/** Reads a letter as a stranger would, in whatever script its digits are. For the audit. */

export interface LetterRead {
  /** Of its first amount, all of them: "1.234,50 €" is 123450, in the currency's smallest unit as the decimals are always written out. */
  readonly digits: string;
  /** Its instant names offset and zone, and the clock of that zone had that offset then. */
  readonly isUnambiguous: boolean;
}

export function readLetter(text: string, zone: string): LetterRead {
  const latin = inLatinDigits(text);
  const [before = "", instant = ""] = latin.split(", as of ");
  return { digits: amountIn(before), isUnambiguous: isUnambiguous(instant, zone) };
}

/** Names hold no digits, and a month only follows its amount. */
function amountIn(text: string): string {
  const amount = /\d[\d.,\s'’٫٬\u{a0}\u{202f}]*/u.exec(text)?.[0] ?? "";
  return amount.replaceAll(/\D/g, "").replace(/^0+(?=\d)/, "");
}

function isUnambiguous(instant: string, zone: string): boolean {
  const told = /\(UTC([+−])(\d\d):(\d\d), ([\w/]+)\)/.exec(instant);
  if (told === null) return false;
  const [, sign, hours, minutes, named] = told;
  return named === zone && offsetsOf(zone).has((sign === "−" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)));
}

/** Every offset the zone has around the turn of the month, in minutes. */
function offsetsOf(zone: string): ReadonlySet<number> {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  const texts = [Date.UTC(2026, 9, 30), Date.UTC(2026, 10, 1, 8, 59, 59), Date.UTC(2026, 10, 1, 9, 0, 0), Date.UTC(2026, 10, 3)].map(
    (at) => format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "",
  );
  return new Set(texts.map(minutesOf));
}

function minutesOf(text: string): number {
  const [, sign = "+", hours = "0", minutes = "0"] = /^GMT([+-])(\d+):(\d+)/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function inLatinDigits(text: string): string {
  return text.replaceAll(/\p{Nd}/gu, (digit) => String(digitOf(digit)));
}

/** Decimal digits stand in runs of ten, from zero on. */
function digitOf(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return code - zero;
}
