/** Amounts: whole numbers of a currency's smallest unit, and as a customer reads them. */
import { currencies, type Currency } from "./currencies.ts";

const formats = new Map<string, Intl.NumberFormat>();

/** 123450 EUR for de-DE is "1.234,50 €"; 1234 JPY has no decimals, 1250 KWD has three. No floating point is involved. */
export function money(amount: number, currency: Currency, locale: string): string {
  return formatOf(locale, currency).format(decimalOf(amount, currencies[currency].digits));
}

/** A share of so many thousandths, rounded half up: `calls` at a price for each thousand. */
export function perThousand(calls: number, price: number): number {
  return Number((BigInt(calls) * BigInt(price) + 500n) / 1_000n);
}

function decimalOf(amount: number, digits: number): `${number}` {
  const text = String(Math.abs(amount)).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  return `${amount < 0 ? "-" : ""}${whole}.${text.slice(text.length - digits) || "0"}` as `${number}`;
}

function formatOf(locale: string, currency: Currency): Intl.NumberFormat {
  const key = `${locale} ${currency}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const { digits } = currencies[currency];
  const made = new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
  formats.set(key, made);
  return made;
}
