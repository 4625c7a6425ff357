/** An engine of somebody else, for `errand verify`: several processes use one store of it, and are killed. */
import type { Engine } from "../core/engine.ts";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * What a module given to `errand verify ./engine.js` exports as its default.
 *
 *     export default {
 *       name: "mine",
 *       make: () => mkdtempSync("/var/tmp/mine-"),
 *       engine: (place) => mine(place),
 *       remove: (place) => rmSync(place, { recursive: true }),
 *     } satisfies SharedEngine;
 */
export interface SharedEngine {
  readonly name: string;
  /** Makes a place that nothing else uses; its name is told to every process. */
  make(): string | Promise<string>;
  /** Called in each process. `via`: connect there in place of the server, to meet faults of the network. */
  engine(place: string, via?: ServerAddress): Engine;
  /** Takes the place away. */
  remove(place: string): void | Promise<void>;
  /** Where its server listens, by TCP. Absent: no faults of the network are made. */
  server?(place: string): ServerAddress;
}
