/** A scope about the outbox: two relays move on what transactions hand in, one of them too late, or dead. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { outboxLeaseMs } from "../../src/core/defaults.ts";
import type { Atom, Outbox } from "../../src/core/engine.ts";
import type { Move, Moved } from "../../src/redis/outbox.ts";
import { Relay } from "../../src/redis/relay.ts";
import { surroundings } from "../../src/sqlite/open.ts";
import { SqliteOutbox } from "../../src/sqlite/outbox.ts";
import type { Distortion } from "../../test/conformance/planted.ts";
import { startedAt } from "./play.ts";
import type { CoreScope, Stage } from "./corePlay.ts";
import { job, atom } from "./hand.ts";
import { stillRuntime } from "../model/stillRuntime.ts";

/** The outbox of an app's file, kept from schedule to schedule with its rows taken away. */
class App {
  readonly outbox: SqliteOutbox;
  now = startedAt;
  readonly #folder: string = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "errand-scopes-"));
  readonly #handle: Database.Database;

  constructor() {
    const file = join(this.#folder, "app.db");
    this.outbox = new SqliteOutbox(file, {}, surroundings);
    this.outbox.open({ runtime: { ...stillRuntime(), now: () => this.now } }, "the store");
    this.#handle = new Database(file);
    this.#handle.pragma("synchronous = FULL");
    process.once("exit", () => rmSync(this.#folder, { recursive: true, force: true }));
  }

  begin(): void {
    this.now = startedAt;
    this.#handle.exec(`DELETE FROM errand_outbox; DELETE FROM errand_outbox_set_aside; DELETE FROM sqlite_sequence;
      UPDATE errand_outbox_relay SET fence = 0, holder = NULL, lease_until = NULL, batch = '', ns = '[]'`);
  }

  /** In a transaction of its own. */
  handIn(handedIn: Atom): void {
    this.#handle.exec("BEGIN");
    this.outbox.add([handedIn], { tx: this.#handle, now: this.now });
    this.#handle.exec("COMMIT");
  }

  get left(): number {
    return (this.#handle.prepare("SELECT count(*) AS left FROM errand_outbox").get() as { readonly left: number }).left;
  }
}

/** A store that keeps what it is asked for by {@link Moved}: a batch is stored once, and one who comes late is told so. */
class MovedStore {
  readonly stored: string[] = [];
  #fence = 0;
  #batch = "";
  #moved = 0;

  move({ fence, batch, from, atoms }: Move, isForgetful: boolean): Moved {
    if (isForgetful) this.#batch = "";
    if (fence < this.#fence) return { is: "stale", fence: this.#fence };
    if (this.#batch !== batch) [this.#batch, this.#moved] = [batch, 0];
    this.#fence = fence;
    const fresh = atoms.slice(Math.max(from, this.#moved) - from);
    this.#moved = Math.max(from, this.#moved) + fresh.length;
    for (const { works } of fresh) this.stored.push(works[0]?.id ?? "nothing");
    return { is: "moved", refused: [] };
  }
}

let app: App | undefined;
const forgetful = "forgets what was moved";

/** A store that takes every batch for a new one. */
export const forgetsWhatWasMoved: Distortion = () => ({ name: forgetful });

function isForgetful(stage: Stage): boolean {
  return stage.store.name === forgetful;
}

function relayOf(stage: Stage, who: string, box: Outbox, store: MovedStore): Relay {
  const runtime = stage.runtime(who);
  const now = (): { readonly now: number } => ({ now: stage.clock.now });
  const outbox = {
    name: "the app's",
    take: (asked: Parameters<Outbox["take"]>[0]) => stage.call(who, "takes", () => box.take(asked, now())),
    done: (done: Parameters<Outbox["done"]>[0]) =>
      stage.call(who, done.moved.length > 0 ? `is done with ${done.moved.length}` : "gives back", () => box.done(done)),
  } as unknown as Outbox;
  return new Relay({ outbox, runtime, move: (move) => stage.call(who, `moves ${move.atoms.length}`, () => store.move(move, isForgetful(stage))) });
}

export const relayTwice: CoreScope = {
  name: "an outbox and two relays",
  holds: "what was handed in is stored once, in its order, whichever relay dies, comes late or hears no answer",
  stage: (stage) => {
    const own = (app ??= new App());
    own.begin();
    const store = new MovedStore();
    const relays = ["one", "two"].map((who) => relayOf(stage, who, own.outbox, store));
    const rows = ["1", "2"];
    own.handIn(atom(job("1")));
    return Promise.resolve({
      begin: () => {
        for (const relay of relays)
          void (async () =>
            relay.moveOn().then(
              () => relay.moveOn(),
              () => relay.moveOn(),
            ))().catch(() => undefined);
        void stage.call("app", "hands in another", () => own.handIn(atom(job("2"))));
        void stage.call("clock", "lets a lease pass", () => {
          stage.clock.now += outboxLeaseMs + 1;
          own.now = stage.clock.now;
        });
      },
      times: [],
      may: { one: ["lose", "die"], two: ["lose", "die"] },
      check: async () => {
        own.now = stage.clock.now += outboxLeaseMs + 1;
        const last = relayOf(stage, "the last", own.outbox, store);
        for (let tries = 0; tries < 10 && own.left > 0; tries++) await last.moveOn().catch(() => undefined);
        stage.heard.push(store.stored.join(" "));
        return [
          ...(store.stored.join(" ") === rows.join(" ")
            ? []
            : [`G1 ${rows.join(", ")} were handed in, and ${store.stored.join(", ") || "nothing"} was stored`]),
          ...(own.left === 0 ? [] : [`G2 ${own.left} rows are left`]),
        ];
      },
    });
  },
};

export const all: readonly CoreScope[] = [relayTwice];
