/** The keys that always have the same name, after what all begin with, and the types of their values. A test holds this to the scripts. */
export const keyTypes: Readonly<Record<string, "hash" | "zset" | "set" | "string" | "list">> = {
  m: "hash",
};
