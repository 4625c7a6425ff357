/** A place of its own in somebody's store, for one fault run. */
import type { ServerAddress } from "../../conformance/sharedEngine.ts";

/** How a process reaches the place; JSON. */
export type Reach =
  | { readonly by: "url"; readonly url: string }
  /** `nodes`: from where a node of a Redis Cluster says it is to where it is reached. */
  | { readonly by: "cluster"; readonly url: string; readonly servers: readonly string[]; readonly nodes: Readonly<Record<string, ServerAddress>> }
  | { readonly by: "module"; readonly module: string; readonly place: string; readonly via?: ServerAddress };

/** From a server to where a process is to connect in its place. */
export type Via = (server: ServerAddress) => ServerAddress;

export interface Place {
  /** Without a password. */
  readonly name: string;
  /** What processes connect to by TCP. None: faults of the network are not made. */
  readonly servers: readonly ServerAddress[];
  /** Why there are no servers. */
  readonly whyNoServers?: string;
  /** The file that holds it, if one does. */
  readonly file?: string;
  reach(via?: Via): Reach;
  /** Takes it away, and nothing else. */
  remove(): Promise<void>;
  /** How to take it away by hand. */
  readonly byHand: string;
}

/** What the place is called after: no other has it. */
export function placeName(id: string): string {
  return `errand_verify_${id.slice(-10)}`;
}
