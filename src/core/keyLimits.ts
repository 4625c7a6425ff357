/** A limit per key, from a task's policy and a payload. Pure: planners and fan-outs compute the same. */
import type { KeyLimit } from "./engine.ts";
import { keyName, keyValues } from "./keys.ts";
import type { StoredKeyLimit } from "./notes.ts";

/** A field that the payload lacks counts as null. */
export function keyLimitOf({ scope, per, is, except }: StoredKeyLimit, payload: unknown): KeyLimit {
  const values = keyValues(per, payload).map((value) => value ?? null);
  const most = except && values.length === 1 && Object.hasOwn(except, String(values[0])) ? except[String(values[0])] : undefined;
  return { key: keyName(scope, values), is: most === undefined ? is : withMost(is, most) };
}

function withMost(is: KeyLimit["is"], most: number): KeyLimit["is"] {
  return "running" in is ? { running: most } : { starts: most, everyMs: is.everyMs };
}
