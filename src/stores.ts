/** From a store's URL to its engine. */
import type { Engine } from "./core/engine.ts";
import { ErrandError } from "./core/errors.ts";
import { didYouMean } from "./core/names.ts";
import { memory } from "./memory/index.ts";
import { sqlite } from "./sqlite/index.ts";

const engines: Readonly<Record<string, (rest: string) => Engine>> = {
  memory: () => memory(),
  sqlite: (file) => sqlite(file),
};

/** `sqlite:shop.db`, `sqlite:/var/lib/shop.db`, `memory:`. Throws `engine-unknown`. */
export function engineOf(url: string): Engine {
  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  const make = Object.hasOwn(engines, scheme) ? engines[scheme] : undefined;
  // Of `sqlite://shop.db` nobody can tell whether it was meant to lie in the root folder.
  const isClear = scheme === "memory" || (rest !== "" && !/^\/\/[^/]/.test(rest));
  if (make !== undefined && isClear) return make(rest.replace(/^\/\/(?=\/)/, ""));
  throw new ErrandError("engine-unknown", `"${withoutSecrets(url)}" names no store${cure(scheme, rest, url)}`, { details: { known: Object.keys(engines) } });
}

function cure(scheme: string, rest: string, url: string): string {
  if (scheme === "sqlite" && rest !== "") return `; for a file in this folder write "sqlite:${rest.slice(2)}", with its whole path "sqlite:${rest.slice(1)}"`;
  const name = url.split(":")[0] ?? "";
  const guess = Object.hasOwn(engines, name) ? ";" : didYouMean(name, Object.keys(engines)) || ";";
  return `${guess} use "sqlite:shop.db" or "memory:"`;
}

/** A password in a URL stays out of messages. */
function withoutSecrets(url: string): string {
  return url.slice(0, 100).replace(/\/\/[^@/]*@/, "//…@");
}
