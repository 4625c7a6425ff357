/** The nodes of a cluster, as they name each other. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** From "host:port", as the nodes name one, to where it is reached from here. */
export type NatMap = Readonly<Record<string, Address>> | ((node: string) => Address | null | undefined);

export function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** Where a node sends those who ask it for keys that another one has: "MOVED 866 127.0.0.1:7001". `from`: who says so; without a host it means its own. */
export function movedTo(answer: string, from: Address): Address | undefined {
  const [, host = "", port = ""] = /^MOVED \d+ (.*):(\d+)$/.exec(answer) ?? [];
  return addressOf(host, Number(port), from);
}

/** The answer of CLUSTER SLOTS: ranges, each with its nodes. */
export function nodesIn(slots: unknown, from: Address): readonly Address[] {
  if (!Array.isArray(slots)) return [];
  const found = new Map<string, Address>();
  for (const [, , ...nodes] of slots as readonly (readonly unknown[])[]) {
    for (const [host, port] of nodes as readonly (readonly unknown[])[]) {
      const address = addressOf(typeof host === "string" ? host : "", Number(port), from);
      if (address !== undefined) found.set(keyOf(address), address);
    }
  }
  return [...found.values()];
}

export function mapped(address: Address, natMap: NatMap | undefined): Address {
  if (natMap === undefined) return address;
  return (typeof natMap === "function" ? natMap(keyOf(address)) : natMap[keyOf(address)]) ?? address;
}

/** "?": it is set to tell host names, and has none. https://redis.io/docs/latest/commands/cluster-slots/ */
function addressOf(host: string, port: number, from: Address): Address | undefined {
  if (host === "?" || !Number.isInteger(port) || port <= 0) return undefined;
  return { host: host === "" ? from.host : host.replace(/^\[(.*)\]$/, "$1"), port };
}
