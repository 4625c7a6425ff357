/** Made orders.json, once: `node examples/shop/makeOrders.ts > examples/shop/orders.json`. The same every time. */
import type { Item, Order } from "./order.ts";
import { drawn } from "../stage/seeded.ts";

const ordersCount = 2_000;
const accountsCount = 200;
/** How often a customer places the next order at once. */
const atOnceRate = 0.12;

const givenNames = [
  "Ada",
  "Bela",
  "Chidi",
  "Dana",
  "Emil",
  "Freya",
  "Goran",
  "Hana",
  "Imani",
  "Jonas",
  "Keiko",
  "Lior",
  "Marta",
  "Nils",
  "Olga",
  "Pavel",
  "Rosa",
  "Sven",
  "Tomas",
  "Yara",
];
const familyNames = ["Almeida", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Horvat", "Ito", "Jansen"];
const currencies = ["EUR", "EUR", "EUR", "USD", "GBP", "SEK"];
const goods: readonly (readonly [name: string, price: number])[] = [
  ["Espresso beans 1 kg", 2_290],
  ["Filter papers, 100", 390],
  ["Hand grinder", 8_900],
  ["Pour-over kettle", 6_450],
  ["Glass server 600 ml", 2_450],
  ["Cup and saucer", 1_680],
  ["Descaler", 890],
  ["Milk jug 350 ml", 1_950],
  ["Scale with timer", 4_900],
  ["Decaf beans 250 g", 990],
];

export function madeOrders(): readonly Order[] {
  const made: Order[] = [];
  for (let index = 0; index < ordersCount; index += 1) made.push(orderAt(index, made.at(-1)));
  return made;
}

function orderAt(index: number, before: Order | undefined): Order {
  const isAtOnce = before !== undefined && drawn(index, "at once") < atOnceRate;
  const account = isAtOnce ? Number(before.accountId.slice(1)) - 1 : accountAt(index);
  const items = itemsAt(index);
  return {
    id: `o${String(index + 1).padStart(4, "0")}`,
    accountId: `a${String(account + 1).padStart(3, "0")}`,
    email: `${nameOf(account)}@example.com`,
    currency: picked(currencies, account, "currency"),
    amount: items.reduce((sum, { quantity, price }) => sum + quantity * price, 0),
    items,
  };
}

/** Some accounts buy far more than others. */
function accountAt(index: number): number {
  return Math.floor(drawn(index, "account") ** 1.5 * accountsCount);
}

function nameOf(account: number): string {
  const given = givenNames[account % givenNames.length] ?? "";
  const family = familyNames[Math.floor(account / givenNames.length) % familyNames.length] ?? "";
  return `${given}.${family}`.toLowerCase();
}

function itemsAt(index: number): readonly Item[] {
  const first = Math.floor(drawn(index, "first") * goods.length);
  const count = 1 + Math.floor(drawn(index, "count") ** 2 * 4);
  return Array.from({ length: count }, (_, at) => {
    const [name, price] = goods[(first + at * 3) % goods.length] ?? ["", 0];
    return { name, quantity: 1 + Math.floor(drawn(index, at, "quantity") ** 3 * 3), price };
  });
}

function picked<T>(from: readonly T[], ...draw: readonly (string | number)[]): T {
  return from[Math.floor(drawn(...draw) * from.length)] as T;
}

if (import.meta.main)
  console.log(
    `[\n${madeOrders()
      .map((order) => JSON.stringify(order))
      .join(",\n")}\n]`,
  );
