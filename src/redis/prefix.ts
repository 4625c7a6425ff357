/** What errand's keys begin with: also a channel is named after it, a URL names it, and a pattern finds it. */
import { ErrandError } from "../core/errors.ts";

export const defaultPrefix = "errand";
const bytesMax = 100;

/** No braces, which would make a hash tag of their own; nothing that a pattern or a line of the protocol reads as its own. Throws `option-invalid`. */
export function checkPrefix(prefix: string): string {
  if (typeof prefix === "string" && /^[\p{L}\p{N}_.:/-]+$/u.test(prefix) && Buffer.byteLength(prefix) <= bytesMax) return prefix;
  throw new ErrandError(
    "option-invalid",
    `${JSON.stringify(prefix)?.slice(0, 2 * bytesMax)} cannot be what errand's keys begin with: a prefix is made of letters, digits, "_", "-", ".", ":" and "/", and takes ${bytesMax} bytes at most`,
  );
}

/** What all keys of a home begin with. In a cluster, what stands in the braces says which server has them. */
export function homeOf(prefix: string, home = 0): string {
  return `{${prefix}:${home}}`;
}
