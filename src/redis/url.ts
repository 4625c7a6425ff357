/** What a URL says: where the server is, in the driver's words, and what errand's keys begin with there, which is none of the driver's business. */
import { ErrandError } from "../core/errors.ts";
import { checkPrefix } from "./prefix.ts";

export interface Place {
  readonly server: string;
  readonly prefix: string | undefined;
}

const cure = 'write "redis://host:6379/0?prefix=errand", with rediss: for TLS; the path is the number of the database';

/** Throws `option-invalid`. */
export function placeOf(text: string): Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^(\/\d*)?$/.test(url.pathname)) {
    throw new ErrandError("option-invalid", `"${text.replace(/\/\/[^@]*@/, "//…@").slice(0, 100)}" is no URL of a Redis server; ${cure}`);
  }
  const prefix = url.searchParams.get("prefix") ?? undefined;
  url.searchParams.delete("prefix");
  return { server: url.href, prefix: prefix === undefined ? undefined : checkPrefix(prefix) };
}
