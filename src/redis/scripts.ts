/** Runs a script by its hash, and tells the server its text where that does not hold it yet. */
import { createHash } from "node:crypto";
import { ErrandError } from "../core/errors.ts";
import type { Argument } from "./client.ts";
import { isUnknownScript } from "./failure.ts";
import type { Script } from "./fragment.ts";

export type Ask = (command: string, args: readonly Argument[]) => Promise<unknown>;

const shas = new WeakMap<Script, string>();

export function shaOf(script: Script): string {
  const known = shas.get(script);
  if (known !== undefined) return known;
  const sha = createHash("sha1").update(script.text).digest("hex");
  shas.set(script, sha);
  return sha;
}

/** A server forgets all scripts when it starts, and one may be another than a moment ago: so the text is told with the call, which then is the one that counts. */
export async function runScript(ask: Ask, script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
  try {
    return await ask("evalsha", [shaOf(script), "1", key, ...args]);
  } catch (error) {
    if (!(error instanceof ErrandError) || !isUnknownScript(error.cause)) throw error;
    return ask("eval", [script.text, "1", key, ...args]);
  }
}
