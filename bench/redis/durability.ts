/** What a server keeps when it ends: nothing, all but the last second, everything. */
export type Durability = "memory" | "aof-everysec" | "aof-always";

/** As options of the server. Snapshots are off: one in the middle of an answer is a fork that others do not have. */
export const durabilities: Readonly<Record<Durability, readonly string[]>> = {
  memory: ["--save", "", "--appendonly", "no"],
  "aof-everysec": ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"],
  "aof-always": ["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
};

export function isDurability(text: string): text is Durability {
  return Object.hasOwn(durabilities, text);
}
