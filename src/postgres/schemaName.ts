/** What a schema may be called: also a channel is named after it, and a URL names it. */
import { ErrandError } from "../core/errors.ts";

/** No "$": bodies of functions name the schema, between $$ and $$. Throws `option-invalid`. */
export function checkSchema(name: string): string {
  if (/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name) && Buffer.byteLength(name) <= 63 && !name.startsWith("pg_")) return name;
  throw new ErrandError(
    "option-invalid",
    `"${name}" cannot be errand's schema: a name is made of letters, digits, "_" and "-", begins with a letter or "_" but not with pg_, and takes 63 bytes at most`,
  );
}
