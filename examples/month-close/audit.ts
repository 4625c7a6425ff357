/**
 * After a run: was every customer charged what they owed, once, by what was true at that moment? Judged from the provider's record, the roster
 * and the record of changes; of the app it believes nothing but checks that its books say the same.
 */
import type { Database } from "../stage/database.ts";
import { asOf } from "./asOf.ts";
import { month } from "./clock.ts";
import type { Customer } from "./customers.ts";
import { History, type ChangeRow } from "./history.ts";
import type { Capture, ProvidersRecord } from "./ledger.ts";
import { readLetter } from "./letterReading.ts";
import { money } from "./money.ts";
import { wrongCounts, wrongLabels, wrongs, type WrongKind } from "./wrongs.ts";

export interface Finding {
  readonly kind: WrongKind;
  readonly customerId: string;
  readonly sentence: string;
}

export interface Audit {
  readonly changes: number;
  /** Charges the provider made. */
  readonly charges: number;
  readonly declined: number;
  readonly wrong: readonly Finding[];
  /** Payments that the provider and the app's books do not agree on. */
  readonly disagreements: number;
  readonly held: number;
  /** Held without a decline, or declined and not held, though not closed meanwhile. */
  readonly heldWrongly: number;
  readonly letters: number;
  readonly lettersMissing: number;
  readonly lettersTwice: number;
  /** That name another amount than was charged, or an instant that can be read in two ways. */
  readonly lettersWrong: number;
  readonly hasReport: boolean;
}

export function audit(database: Database, roster: readonly Customer[], record: ProvidersRecord): Audit {
  const changes = database.prepare("SELECT place, at, customer_id AS customerId, what, amount, currency FROM changes ORDER BY place").all() as ChangeRow[];
  const history = new History(changes, month);
  const charges = Map.groupBy(record.captures, ({ customerId }) => customerId);
  const declined = new Set(record.declined);
  return {
    changes: changes.length,
    charges: record.captures.length,
    declined: declined.size,
    wrong: roster.flatMap((customer) => findingsOf(customer, charges.get(customer.id) ?? [], declined.has(customer.id), history)),
    disagreements: disagreements(database, charges),
    ...holds(database, declined),
    ...letters(roster, record, charges),
    hasReport: database.prepare("SELECT 1 FROM reports WHERE month = ?").get(month) !== undefined,
  };
}

function findingsOf(customer: Customer, charges: readonly Capture[], isDeclined: boolean, history: History): readonly Finding[] {
  const findings: Finding[] = [];
  const [first] = charges;
  if (first !== undefined) {
    const truth = history.of(customer, first.at);
    const kind = kindsInOrder.find((each) => wrongs[each].is(first, truth));
    if (kind !== undefined) findings.push({ kind, customerId: customer.id, sentence: sentenceOf(kind, customer, first, truth) });
  }
  const end = history.of(customer);
  for (const kind of ["twice", "missed"] as const) {
    const times = wrongCounts[kind].of(charges, customer, end, isDeclined);
    for (let time = 0; time < times; time += 1) findings.push({ kind, customerId: customer.id, sentence: countSentence(kind, customer, charges, end.due) });
  }
  return findings;
}

const kindsInOrder = Object.keys(wrongs) as readonly (keyof typeof wrongs)[];

const happened: Readonly<Record<ChangeRow["what"], string>> = {
  "credit applied": "a credit was applied",
  "card removed": "the card was removed",
  "account closed": "the account was closed",
  "currency changed": "the currency was changed",
};

function sentenceOf(kind: WrongKind, { id, name, locale, zone }: Customer, charge: Capture, truth: ReturnType<History["of"]>): string {
  const change = truth.last === undefined ? "" : `, ${((charge.at - truth.last.at) / 1_000).toFixed(1)} s after ${happened[truth.last.what]}`;
  const wasDue = kind === "amount" ? ` where ${money(truth.due, truth.currency, locale)} was due` : "";
  return `${id} (${name}) paid ${money(charge.amount, charge.currency, locale)}${wasDue}, ${asOf(charge.at, "en-GB", zone)}${change}`;
}

function countSentence(kind: WrongKind, { id, name, locale, currency }: Customer, charges: readonly Capture[], due: number): string {
  const amounts = charges.map((charge) => money(charge.amount, charge.currency, locale)).join(" and ");
  return kind === "twice" ? `${id} (${name}) paid ${amounts}` : `${id} (${name}) was never charged ${money(due, currency, locale)}: ${wrongLabels[kind]}`;
}

/** Every charge must stand in the books as captured, once, and the other way round. */
function disagreements(database: Database, charges: ReadonlyMap<string, readonly Capture[]>): number {
  const rows = database
    .prepare(
      "SELECT i.customer_id AS customerId, p.amount, p.currency, p.card FROM payments p JOIN invoices i ON i.id = p.invoice_id WHERE p.state <> 'declined'",
    )
    .all() as Pick<Capture, "customerId" | "amount" | "currency" | "card">[];
  const text = ({ customerId, amount, currency, card }: (typeof rows)[number]): string => `${customerId} ${amount} ${currency} ${card}`;
  const difference = new Map<string, number>();
  const count = (key: string, by: number): void => void difference.set(key, (difference.get(key) ?? 0) + by);
  for (const row of rows) count(text(row), 1);
  for (const charge of [...charges.values()].flat()) count(text(charge), -1);
  return [...difference.values()].reduce((sum, each) => sum + Math.abs(each), 0);
}

function holds(database: Database, declined: ReadonlySet<string>): Pick<Audit, "held" | "heldWrongly"> {
  const states = database.prepare("SELECT id, state FROM customers WHERE state <> 'open'").all() as { readonly id: string; readonly state: string }[];
  const held = states.filter(({ state }) => state === "held").map(({ id }) => id);
  const away = new Set(states.map(({ id }) => id));
  return { held: held.length, heldWrongly: held.filter((id) => !declined.has(id)).length + [...declined].filter((id) => !away.has(id)).length };
}

function letters(
  roster: readonly Customer[],
  record: ProvidersRecord,
  charges: ReadonlyMap<string, readonly Capture[]>,
): Pick<Audit, "letters" | "lettersMissing" | "lettersTwice" | "lettersWrong"> {
  const byCustomer = Map.groupBy(record.letters, ({ customerId }) => customerId);
  const declined = new Set(record.declined);
  const isWrong = (customer: Customer): boolean => {
    const letter = byCustomer.get(customer.id)?.[0];
    if (letter === undefined) return false;
    const { digits, isUnambiguous } = readLetter(letter.text, customer.zone);
    const paid = (charges.get(customer.id) ?? []).reduce((sum, { amount }) => sum + amount, 0);
    return !isUnambiguous || (paid > 0 && !declined.has(customer.id) && digits !== String(paid));
  };
  return {
    letters: record.letters.length,
    lettersMissing: roster.filter(({ id }) => !byCustomer.has(id)).length,
    lettersTwice: [...byCustomer.values()].reduce((sum, each) => sum + each.length - 1, 0),
    lettersWrong: roster.filter(isWrong).length,
  };
}
