/** The homes of a store: what their keys begin with, evenly over the slots of a cluster; and which of them a text, or a fence, belongs to. */
import { createHash } from "node:crypto";
import { ErrandError } from "../../core/errors.ts";
import { homeOf } from "../prefix.ts";

/** Of one store, at most. So many fences follow each other before one belongs to the same home again. */
export const homesMax = 64;

const slots = 16_384;

/**
 * Home 0 is where a store of one home is. The others lie in equal ranges of slots, that of home 0 being in the middle of its own: a cluster that has its slots in as many
 * equal parts has a home in each.
 */
export function homesOf(prefix: string, count: number): readonly string[] {
  const first = homeOf(prefix);
  const from = slotOf(first) - slots / count / 2;
  return [first, ...Array.from({ length: count - 1 }, (_, nth) => named(prefix, nth + 1, from, count))];
}

/** What the second home of a store is called, whatever number of homes it has. */
export function secondHomes(prefix: string): readonly string[] {
  const first = slotOf(homeOf(prefix));
  const names: { readonly name: string; readonly slot: number }[] = [];
  const nameOf = (nth: number): { readonly name: string; readonly slot: number } => {
    const name = `{${prefix}:1.${nth}}`;
    return (names[nth] ??= { name, slot: slotOf(name) });
  };
  const found = new Set<string>();
  for (let count = 2; count <= homesMax; count += 1) {
    const from = first - slots / count / 2;
    let nth = 0;
    while (rangeOf(nameOf(nth).slot - from, count) !== 1) nth += 1;
    found.add(nameOf(nth).name);
  }
  return [...found];
}

function named(prefix: string, home: number, from: number, count: number): string {
  let name = "";
  for (let nth = 0; nth === 0 || rangeOf(slotOf(name) - from, count) !== home; nth += 1) name = `{${prefix}:${home}.${nth}}`;
  return name;
}

function rangeOf(slot: number, count: number): number {
  return Math.floor((((slot + slots) % slots) * count) / slots);
}

/** Of the text that stands in the braces: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags */
export function slotOf(home: string): number {
  let crc = 0;
  for (const byte of Buffer.from(home.slice(1, -1))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? (crc << 1) & 0xffff : ((crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc % slots;
}

/** Throws `option-invalid`. */
export function checkPartitions(partitions: number | undefined): number | undefined {
  if (partitions === undefined || (Number.isInteger(partitions) && partitions >= 1 && partitions <= homesMax)) return partitions;
  throw new ErrandError("option-invalid", `partitions is ${String(partitions)}; say over how many the store is spread: 1 to ${homesMax}`);
}

/** As U.route.home_of. */
export function homeOfText(text: string, count: number): number {
  return Number.parseInt(createHash("sha1").update(text).digest("hex").slice(0, 8), 16) % count;
}

/** The last digits of an id that errand made: those of what one process hands in within some milliseconds are the same. */
const lotOf = /[0-9a-f]{4}$/;

/** Of a work that its id alone has a say in: where what was made with it goes, so that calls that are sent together go to one home. */
export function homeOfLot(id: string, count: number): number {
  const lot = lotOf.exec(id)?.[0];
  return lot === undefined ? homeOfText(id, count) : Number.parseInt(lot, 16) % count;
}

/** Who gave it. */
export function homeOfFence(fence: number): number {
  return fence % homesMax;
}

/** How scripts are told who calls: with which home of how many it is, since one that was emptied does not know. */
export function calledBy(self: string, home: number, count: number): string {
  return count === 1 ? self : `${self},${home}/${count}`;
}
