/**
 * The way into a cluster: to the node that has the slot of errand's keys, whichever that is now. Asked by a command on one key, any node that lives tells which one
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding).
 *
 * The drivers' own routing is not used. It sends a call again whose connection broke, though it may have been made; it lets a call through to a node that was not looked at
 * before; and it follows ASK, to a node that holds a part of the keys so far, where a script would take those that are still to come for jobs that are not there.
 *
 * While a slot is moved, errand waits. All scripts name the key that the others begin with, and there never is such a key: so the node that gives the slot away refuses them
 * all (ASK) from the first key that leaves to the last one, and no script ever runs on a part.
 */
import { redisNodesTried } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Ms } from "../core/runtime.ts";
import type { Reach } from "./client.ts";
import type { RedisClient } from "./driver.ts";
import { answerOf } from "./failure.ts";
import { keyOf, mapped, movedTo, nodesIn } from "./nodes.ts";
import type { Address, NatMap } from "./nodes.ts";
import { nameOf, reachOf } from "./way.ts";
import type { Way } from "./way.ts";
import { Wire, wireOptions } from "./wire.ts";

/** Where to begin. */
export interface Seeds {
  readonly nodes: readonly Address[];
  readonly natMap?: NatMap;
}

export class ClusterWay implements Way {
  readonly name: string;
  readonly isCluster = true;
  readonly #pattern: RedisClient;
  readonly #seeds: Seeds;
  readonly #home: string;
  /** As the node that has the keys named them last. */
  #learned: readonly Address[] = [];
  #owner: Address | undefined;
  #dials = 0;

  /** `pattern`: how to connect to any of the nodes. `home`: what all keys begin with. */
  constructor(pattern: RedisClient, seeds: Seeds, home: string) {
    this.#pattern = pattern;
    this.#seeds = seeds;
    this.#home = home;
    const [first = "", ...others] = seeds.nodes.map(keyOf);
    this.name = [nameOf({ ...pattern.options, ...seeds.nodes[0] }).replace("://", "+cluster://"), ...others].join(",") || first;
  }

  async dial(answerMs: Ms): Promise<Wire> {
    const tried = new Set<string>();
    let failure: unknown;
    for (const first of this.#candidates()) {
      let next: Address | undefined = first;
      while (next !== undefined && !tried.has(keyOf(next)) && tried.size < redisNodesTried) {
        tried.add(keyOf(next));
        try {
          const found: Wire | Address | undefined = await this.#ask(next, answerMs);
          if (found instanceof Wire) return found;
          next = found;
        } catch (error) {
          failure = error;
          next = undefined;
        }
      }
    }
    this.#owner = undefined;
    throw this.#failed(failure);
  }

  /** A script's PUBLISH reaches all nodes. At the one that has the keys nobody need pass it on; while that is away, any other hears of the next one. */
  async dialToHear(answerMs: Ms): Promise<Wire> {
    let failure: unknown;
    for (const at of this.#candidates().slice(0, redisNodesTried)) {
      try {
        return await this.#open(at, answerMs);
      } catch (error) {
        failure = error;
      }
    }
    throw this.#failed(failure);
  }

  /** Undefined where a function says where nodes are. */
  reach(): Reach | undefined {
    const reach = reachOf(this.#pattern);
    const { natMap } = this.#seeds;
    if (reach === undefined || typeof natMap === "function") return undefined;
    return { ...reach, cluster: { nodes: this.#candidates(), ...(natMap !== undefined && { natMap }) } };
  }

  /** A connection to it, if it has the keys; else where it says they are. */
  async #ask(at: Address, answerMs: Ms): Promise<Wire | Address | undefined> {
    const wire = await this.#open(at, answerMs);
    try {
      await wire.ask("exists", [this.#home]);
      this.#learned = await nodesBy(wire, at, this.#seeds.natMap);
      this.#owner = at;
      return wire;
    } catch (error) {
      wire.end();
      const { word, text } = answerOf(error);
      if (word !== "MOVED") throw error;
      const next = movedTo(text, at);
      return next && mapped(next, this.#seeds.natMap);
    }
  }

  #open(at: Address, answerMs: Ms): Promise<Wire> {
    const options = { ...wireOptions(answerMs), host: at.host, port: at.port };
    return Wire.open(this.#pattern.duplicate(options), nameOf({ ...this.#pattern.options, ...at }));
  }

  /** The one that had the keys last, then the others, each time another one first. */
  #candidates(): readonly Address[] {
    const others = [...this.#learned, ...this.#seeds.nodes];
    const from = this.#dials++ % Math.max(1, others.length);
    const all = [...(this.#owner === undefined ? [] : [this.#owner]), ...others.slice(from), ...others.slice(0, from)];
    return [...new Map(all.map((address) => [keyOf(address), address])).values()];
  }

  #failed(failure: unknown): Error {
    if (failure instanceof Error) return failure;
    const cure = "its nodes send those who ask from one to the other; errand tries again, and CLUSTER SLOTS on each tells what it believes";
    return new ErrandError("store-unreachable", `${this.name}: ${cure}`, { details: { store: this.name }, isDefinite: true });
  }
}

/** None where this user may not ask for them: then the seeds must do. */
async function nodesBy(wire: Wire, at: Address, natMap: NatMap | undefined): Promise<readonly Address[]> {
  try {
    return nodesIn(await wire.ask("cluster", ["slots"]), at).map((address) => mapped(address, natMap));
  } catch (error) {
    if (answerOf(error).word === undefined) throw error;
    return [];
  }
}
