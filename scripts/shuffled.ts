/** An order that is random, and the same again for the same seed. */
import { createHash } from "node:crypto";

export function shuffled(names: readonly string[], seed: string): readonly string[] {
  const drawn = (name: string): string => createHash("sha256").update(`${seed}\0${name}`).digest("hex");
  return names.toSorted((a, b) => (drawn(a) < drawn(b) ? -1 : 1));
}
