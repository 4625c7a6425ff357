/** The keys that always have the same name, after what all begin with, and the types of their values. A test holds this to the scripts. */
export type KeyType = "hash" | "zset";

const hashes: readonly string[] =
  "aid allow bn c cl event gr gu i j jid join lane lent limit line lines m mail named notes outbox process rp starts t ticket tn unique".split(" ");
const sortedSets: readonly string[] =
  "b direct dn dp ev evp gends jforget jorder jstaged lanes_closed late leases looks lstarts lwait notekeys owing sch tickets uqw".split(" ");

export const keyTypes: Readonly<Record<string, KeyType>> = Object.fromEntries([
  ...hashes.map((name) => [name, "hash"] as const),
  ...sortedSets.map((name) => [name, "zset"] as const),
]);
