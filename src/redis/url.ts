/** What a URL says: where the server is, in the driver's words, and what errand's keys begin with there, which is none of the driver's business. */
import { ErrandError } from "../core/errors.ts";
import { checkPrefix } from "./prefix.ts";
import { checkPartitions } from "./spread/homes.ts";

export interface Place {
  /** One, or those of a cluster to begin with. */
  readonly servers: readonly string[];
  readonly isCluster: boolean;
  readonly prefix: string | undefined;
  /** Of a store that is made there. */
  readonly partitions: number | undefined;
}

const cure =
  'write "redis://host:6379/0?prefix=errand", with rediss: for TLS; the path is the number of the database; a cluster is "redis+cluster://host:7000,host:7001?prefix=errand"';

/** Throws `option-invalid`. */
export function placeOf(text: string): Place {
  // A URL has one host; a cluster is reached by any of several.
  const [, scheme = "", isCluster, user = "", hosts = "", rest = ""] = /^(rediss?)(\+cluster)?:\/\/([^/?#]*@)?([^/?#@]+)(.*)$/s.exec(text) ?? [];
  const urls = (isCluster === undefined ? [hosts] : hosts.split(",")).map((host) => urlOf(`${scheme}://${user}${host}${rest}`, text));
  const [first] = urls;
  if (isCluster !== undefined && first !== undefined && !/^\/?0?$/.test(first.pathname))
    throw new ErrandError("option-invalid", `a cluster has database 0 only; ${cure}`);
  const prefix = first?.searchParams.get("prefix") ?? undefined;
  const partitions = first?.searchParams.get("partitions") ?? undefined;
  for (const url of urls) for (const own of ["prefix", "partitions"]) url.searchParams.delete(own);
  return {
    servers: urls.map(({ href }) => href),
    isCluster: isCluster !== undefined,
    prefix: prefix === undefined ? undefined : checkPrefix(prefix),
    partitions: partitions === undefined ? undefined : checkPartitions(Number(partitions)),
  };
}

function urlOf(server: string, text: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== "" && /^(\/\d*)?$/.test(url.pathname)) return url;
  throw new ErrandError("option-invalid", `"${text.replace(/\/\/[^@]*@/, "//…@").slice(0, 100)}" is no URL of a Redis server; ${cure}`);
}
