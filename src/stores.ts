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
  const match = /^([a-z]+):(?:\/\/(?=\/))?(.*)$/.exec(url);
  const make = match === null ? undefined : engines[match[1] ?? ""];
  if (make !== undefined && (match?.[2] !== "" || match[1] === "memory")) return make(match?.[2] ?? "");
  const guess = didYouMean(url.split(":")[0] ?? "", Object.keys(engines));
  throw new ErrandError("engine-unknown", `"${withoutSecrets(url)}" names no store${guess === "" ? ";" : guess} use "sqlite:shop.db" or "memory:"`, {
    details: { known: Object.keys(engines) },
  });
}

/** A password in a URL stays out of messages. */
function withoutSecrets(url: string): string {
  return url.slice(0, 100).replace(/\/\/[^@/]*@/, "//…@");
}
