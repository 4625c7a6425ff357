/** The customers, and what they used in the month and around its ends: made from a seed, alike on every machine. Nobody in it exists. */
import { drawn } from "../stage/seeded.ts";
import { countries, type Country } from "./countries.ts";
import type { Currency } from "./currencies.ts";
import { monthAfter, startOfMonth } from "./zones.ts";

export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly locale: string;
  readonly zone: string;
  readonly currency: Currency;
  /** Its place in the price list. */
  readonly plan: number;
  readonly card: string;
  readonly usage: readonly Usage[];
}

export interface Usage {
  /** In ms since 1970. */
  readonly at: number;
  readonly calls: number;
}

const callsMost = 60_000;
const usesLeast = 3;
const usesMost = 7;
const shares = countries.flatMap((country) => Array.from({ length: country.share }, () => country));

export function customersOf(month: string, count: number, seed: string): readonly Customer[] {
  return Array.from({ length: count }, (_, index) => customerOf(month, `c-${String(index + 1).padStart(4, "0")}`, seed));
}

function customerOf(month: string, id: string, seed: string): Customer {
  const country = oneOf(shares, seed, id, "country");
  const zone = oneOf(country.zones, seed, id, "zone");
  return {
    id,
    name: nameOf(country, seed, id),
    locale: country.locale,
    zone,
    currency: country.currency,
    plan: Math.floor(drawn(seed, id, "plan") * 3),
    card: `card-${id.slice(2)}`,
    usage: usageOf(month, zone, id, seed),
  };
}

function nameOf({ given, family, familyFirst }: Country, seed: string, id: string): string {
  const names = [oneOf(given, seed, id, "given"), oneOf(family, seed, id, "family")];
  return (familyFirst ? names.toReversed() : names).join(" ");
}

/** Some of it a second before or after the month begins or ends by the customer's own clock: in another zone it would be another month's. */
function usageOf(month: string, zone: string, id: string, seed: string): readonly Usage[] {
  const start = startOfMonth(month, zone);
  const end = startOfMonth(monthAfter(month), zone);
  const calls = (what: string | number): number => 1 + Math.floor(drawn(seed, id, what, "calls") * callsMost);
  const uses = usesLeast + Math.floor(drawn(seed, id, "uses") * (usesMost - usesLeast + 1));
  const within = Array.from({ length: uses }, (_, use) => ({ at: Math.floor(start + drawn(seed, id, use, "at") * (end - start)), calls: calls(use) }));
  const edges = [start - 1_000, start, end - 1_000, end].map((at, edge) => ({ at, calls: calls(`edge ${edge}`) }));
  return [...within, ...edges].toSorted((a, b) => a.at - b.at);
}

function oneOf<Thing>(things: readonly Thing[], ...parts: readonly (string | number)[]): Thing {
  const chosen = things[Math.floor(drawn(...parts) * things.length)];
  if (chosen === undefined) throw new Error(`nothing to choose for ${parts.join(" ")}`);
  return chosen;
}
