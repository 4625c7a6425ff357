import assert from "node:assert/strict";
import { test } from "node:test";
import { foundBooks } from "../../examples/month-close/accounts.ts";
import { asOf } from "../../examples/month-close/asOf.ts";
import { audit, type Audit } from "../../examples/month-close/audit.ts";
import { month, storyStartsAt } from "../../examples/month-close/clock.ts";
import { customersOf, type Customer } from "../../examples/month-close/customers.ts";
import type { Capture, ProvidersRecord } from "../../examples/month-close/ledger.ts";
import { money } from "../../examples/month-close/money.ts";
import { dueOf } from "../../examples/month-close/owed.ts";
import { openDatabase, type Database } from "../../examples/stage/database.ts";

const roster = customersOf(month, 3, "7");
const [first, second, third] = roster as [Customer, Customer, Customer];
const at = storyStartsAt + 10_000;

/** A close in which all went well, and what is then done to it. */
function audited(
  spoil: (close: { captures: Capture[]; declined: string[]; letters: { customerId: string; text: string }[]; database: Database }) => void,
): Audit {
  const database = openDatabase(":memory:");
  foundBooks(database, roster);
  const captures = roster.map(captureOf);
  const letters = roster.map((customer) => ({ customerId: customer.id, text: letterOf(customer, dueOf(customer, customer.currency, month)) }));
  for (const { customerId, amount, currency, card } of captures) {
    database
      .prepare("INSERT INTO invoices (id, customer_id, month, revision, currency, total, as_of) VALUES (?, ?, ?, 1, ?, ?, 0)")
      .run(customerId, customerId, month, currency, amount);
    database
      .prepare("INSERT INTO payments (key, invoice_id, amount, currency, card, state) VALUES (?, ?, ?, ?, ?, 'captured')")
      .run(customerId, customerId, amount, currency, card);
  }
  const close = { captures, declined: [], letters, database };
  spoil(close);
  const record: ProvidersRecord = { captures: close.captures, declined: close.declined, letters: close.letters, repeated: 0 };
  return audit(database, roster, record);
}

function captureOf(customer: Customer): Capture {
  return { customerId: customer.id, month, amount: dueOf(customer, customer.currency, month), currency: customer.currency, card: customer.card, at };
}

function letterOf({ name, locale, currency, zone }: Customer, amount: number): string {
  return `${name}, thank you: ${money(amount, currency, locale)} was paid for ${month}, as of ${asOf(at, locale, zone)}.`;
}

function change(
  database: Database,
  customer: Customer,
  what: string,
  amount: number | null = null,
  currency: string | null = null,
  when: number = at - 1,
): void {
  database.prepare("INSERT INTO changes (at, customer_id, what, amount, currency) VALUES (?, ?, ?, ?, ?)").run(when, customer.id, what, amount, currency);
}

test("a close in which all went well has nothing wrong", () => {
  const { wrong, disagreements, heldWrongly, lettersMissing, lettersTwice, lettersWrong } = audited(() => undefined);
  assert.deepEqual(
    { wrong, disagreements, heldWrongly, lettersMissing, lettersTwice, lettersWrong },
    { wrong: [], disagreements: 0, heldWrongly: 0, lettersMissing: 0, lettersTwice: 0, lettersWrong: 0 },
  );
});

for (const { what, spoil, kind } of [
  { what: "a charge a moment after the account was closed", kind: "closed", spoil: (database: Database) => change(database, second, "account closed") },
  { what: "a charge a moment after the card was removed", kind: "card", spoil: (database: Database) => change(database, second, "card removed") },
  { what: "a charge in the currency of before", kind: "currency", spoil: (database: Database) => change(database, second, "currency changed", null, "GBP") },
  { what: "a charge of the sum before a credit", kind: "amount", spoil: (database: Database) => change(database, second, "credit applied", 1) },
] as const)
  test(`${what} is found`, () => {
    const { wrong } = audited(({ database }) => spoil(database));
    assert.deepEqual(
      wrong.map((finding) => [finding.kind, finding.customerId]),
      [[kind, second.id]],
    );
  });

test("a change after the charge makes it no wrong one", () => {
  const { wrong } = audited(({ database }) => {
    change(database, first, "account closed", null, null, at + 1);
    change(database, second, "credit applied", 100, null, at + 1);
    change(database, third, "card removed", null, null, at + 1);
  });
  assert.deepEqual(wrong, []);
});

test("a second charge of what was paid is found, and one that is missing", () => {
  const { wrong } = audited(({ captures }) => {
    captures.splice(1, 1);
    captures.push(captureOf(first));
  });
  assert.deepEqual(
    wrong.map(({ kind, customerId }) => [kind, customerId]),
    [
      ["twice", first.id],
      ["missed", second.id],
    ],
  );
});

test("who was not charged for a reason is not missing: closed, without a card, declined, covered by a credit", () => {
  for (const reason of ["account closed", "card removed", "declined", "credit applied"]) {
    const { wrong } = audited(({ captures, declined, database }) => {
      captures.splice(0, 1);
      if (reason === "declined") declined.push(first.id);
      else change(database, first, reason, reason === "credit applied" ? dueOf(first, first.currency, month) : null);
    });
    assert.deepEqual(wrong, [], reason);
  }
});

test("a charge that the books do not know, or know otherwise, is a disagreement", () => {
  assert.equal(audited(({ captures }) => void captures.push(captureOf(first))).disagreements, 1);
  assert.equal(audited(({ database }) => void database.prepare("UPDATE payments SET amount = amount + 1 WHERE key = ?").run(first.id)).disagreements, 2);
});

test("an account that is held without a decline, or not held in spite of one, is found", () => {
  const hold = (database: Database, { id }: Customer): unknown => database.prepare("UPDATE customers SET state = 'held' WHERE id = ?").run(id);
  assert.equal(audited(({ database }) => void hold(database, first)).heldWrongly, 1);
  assert.equal(audited(({ declined }) => void declined.push(first.id)).heldWrongly, 1);
  assert.equal(
    audited(({ database, declined }) => {
      hold(database, first);
      declined.push(first.id);
    }).heldWrongly,
    0,
  );
});

test("letters that are missing, sent twice, or tell another sum are found", () => {
  const { lettersMissing, lettersTwice, lettersWrong } = audited(({ letters }) => {
    letters.splice(0, 1);
    letters.push({ customerId: second.id, text: letterOf(second, 1) });
    letters.splice(1, 1, { customerId: third.id, text: letterOf(third, 1) });
  });
  assert.deepEqual([lettersMissing, lettersTwice, lettersWrong], [1, 1, 1]);
});
