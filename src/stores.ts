/** From a store's URL to its engine. */
import type { Engine } from "./core/engine.ts";
import { ErrandError } from "./core/errors.ts";
import { didYouMean } from "./core/names.ts";
import { memory } from "./memory/index.ts";
import { postgres } from "./postgres/index.ts";
import { redis } from "./redis/index.ts";
import { sqlite } from "./sqlite/index.ts";

const engines: Readonly<Record<string, (rest: string) => Engine>> = {
  memory: () => memory(),
  sqlite: (file) => sqlite(file),
};

export interface PostgresStore {
  /** As the driver takes it. */
  readonly database: string;
  readonly schema: string | undefined;
}

/** `sqlite:shop.db`, `sqlite:/var/lib/shop.db`, `postgres://user@host/shop?schema=errand`, `redis://host:6379/0?prefix=errand`, `memory:`. Throws `engine-unknown`, `option-invalid`. */
export function engineOf(url: string): Engine {
  const ofPostgres = postgresStoreOf(url);
  if (ofPostgres !== undefined) return postgres(ofPostgres.database, ofPostgres.schema === undefined ? {} : { schema: ofPostgres.schema });
  if (isRedis(url)) return redis(url);
  const [, scheme = "", rest = ""] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  const make = Object.hasOwn(engines, scheme) ? engines[scheme] : undefined;
  // Of `sqlite://shop.db` nobody can tell whether it was meant to lie in the root folder.
  const isClear = scheme === "memory" || (rest !== "" && !/^\/\/[^/]/.test(rest));
  if (make !== undefined && isClear) return make(rest.replace(/^\/\/(?=\/)/, ""));
  throw new ErrandError("engine-unknown", `"${withoutSecrets(url)}" names no store${cure(scheme, rest, url)}`, { details: { known: [...known] } });
}

/** Undefined for other URLs. The schema is errand's word: to the driver it would be a setting that no server knows. */
export function postgresStoreOf(url: string): PostgresStore | undefined {
  const [, address, parameters = ""] = /^(postgres(?:ql)?:\/\/[^?]*)(?:\?(.*))?$/s.exec(url) ?? [];
  if (address === undefined) return undefined;
  const all = parameters.split("&").filter((parameter) => parameter !== "");
  const others = all.filter((parameter) => !parameter.startsWith("schema="));
  const schema = new URLSearchParams(parameters).get("schema") ?? undefined;
  return { database: others.length === 0 ? address : `${address}?${others.join("&")}`, schema };
}

/** What follows the scheme is the place of the server, or of the nodes of a cluster (`redis+cluster://host:7000,host:7001`). */
export function isRedis(url: string): boolean {
  return /^rediss?(\+cluster)?:\/\//.test(url);
}

const known: readonly string[] = [...Object.keys(engines), "postgres", "postgresql", "redis", "rediss"];

function cure(scheme: string, rest: string, url: string): string {
  if (scheme === "sqlite" && rest !== "") return `; for a file in this folder write "sqlite:${rest.slice(2)}", with its whole path "sqlite:${rest.slice(1)}"`;
  const name = url.split(":")[0] ?? "";
  const guess = known.includes(name) ? ";" : didYouMean(name, known) || ";";
  return `${guess} use "sqlite:shop.db", "postgres://user@host/shop", "redis://host:6379/0" or "memory:"`;
}

/** A password in a URL stays out of messages. */
export function withoutSecrets(url: string): string {
  return url.slice(0, 100).replace(/\/\/[^@/]*@/, "//…@");
}
