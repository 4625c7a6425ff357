/** One call of a verb, with one fault at one message of its exchange; then the same call again. */
import type { Engine } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { StillRuntime } from "../../test/port/stillRuntime.ts";
import type { Clean, Seen, Told } from "./judged.ts";
import { LongWaits } from "./longWaits.ts";
import { Hand } from "./scenes.ts";
import type { Scene } from "./scenes.ts";
import type { ServerUnderTest, Store } from "./servers.ts";
import { shown, stateOf } from "./shown.ts";
import { Way } from "./way.ts";
import type { Passage, Point, Refusal, Turn } from "./way.ts";

/**
 * cut: both sides are reset. ended: both hear a goodbye. lost: the request arrives, its reply does not, then it is cut. frozen: nothing passes until the caller gives up; then
 * the server hears that the connection is gone. late: likewise, but the request arrives after the same call was made again. killed: the server ends its side.
 */
export type Fault = "cut" | "ended" | "lost" | "frozen" | "late" | "killed";

export type Trial = { readonly fault: Fault; readonly at: Point } | { readonly fault: "gone"; readonly then: Refusal };

/** What is under test, where it is not the engine itself. */
export type Around = (engine: Engine) => Engine;

const waitsMs = 20_000;

/** Every one there is for an exchange of so many messages. */
export function trialsOf(turns: readonly Turn[]): readonly Trial[] {
  const refusals: readonly Refusal[] = ["at once", "when it asks", "when it is answered"];
  const all: Trial[] = refusals.map((then) => ({ fault: "gone", then }));
  for (const [turn, counts] of turns.entries()) {
    for (const side of ["client", "server"] as const) {
      for (let frame = 0; frame < counts[side]; frame += 1) {
        for (const part of frame === counts[side] - 1 ? (["before", "middle", "after"] as const) : (["before", "middle"] as const)) {
          const at = { turn, side, frame, part };
          all.push(...faultsAt(at).map((fault) => ({ fault, at })));
        }
      }
    }
  }
  return all;
}

function faultsAt({ side, frame, part }: Point): readonly Fault[] {
  const everywhere: readonly Fault[] = ["cut", "ended", "killed"];
  // One that freezes after the answer freezes before the next request.
  if (side === "server") return part === "after" ? everywhere : [...everywhere, "lost", "frozen"];
  // What the server has begun with holds locks, and waits for the rest.
  return frame === 0 && part !== "after" ? [...everywhere, "frozen", "late"] : [...everywhere, "frozen"];
}

/** A store with the scene set, an engine through a way that is watched, and one beside it. */
class Place implements AsyncDisposable {
  readonly hand: Hand;
  readonly way: Way;
  readonly #scene: Scene;
  readonly #store: Store;
  readonly #engine: Engine;

  private constructor(scene: Scene, store: Store, way: Way, engine: Engine, hand: Hand) {
    this.#scene = scene;
    this.#store = store;
    this.way = way;
    this.#engine = engine;
    this.hand = hand;
  }

  static async of(server: ServerUnderTest, scene: Scene, around: Around): Promise<Place> {
    const store = await server.fresh();
    const way = await Way.before(store.url, server.lengthOf);
    const engine = store.through(way.url);
    await engine.open({ runtime: new StillRuntime() });
    await store.beside.open({ runtime: new StillRuntime() });
    const preparing = new Hand({ engine: store.beside, taking: engine });
    await scene.prepare(preparing);
    const tested = around(engine);
    return new Place(scene, store, way, engine, new Hand({ engine: tested, taking: tested }, preparing));
  }

  async call(): Promise<Told> {
    try {
      return { is: "answered", answer: shown(await this.#scene.call(this.hand)) };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return { is: ErrandError.is(error) ? (error.isDefinite ? "definite" : "indefinite") : "strange", said };
    }
  }

  async state(): Promise<string> {
    return stateOf(this.#store.beside, this.hand.now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.close();
    await this.way[Symbol.asyncDispose]();
    await this.#store.beside.close();
    await this.#store.done();
  }
}

/** What a scene is without faults, and the messages of its call. */
export async function withoutFaults(server: ServerUnderTest, scene: Scene): Promise<Clean & { readonly turns: readonly Turn[] }> {
  await using place = await Place.of(server, scene, (engine) => engine);
  const before = await place.state();
  await server.set?.();
  const passage = place.way.watch();
  const answer = answered(await place.call());
  const turns = passage.turns.map((turn) => ({ ...turn }));
  if (passage.asked.some((text) => text.includes("pg_notify"))) throw new Error("a hint came between");
  const after = await place.state();
  const answerAgain = answered(await place.call());
  return { before, answer, after, answerAgain, afterAgain: await place.state(), turns };
}

export async function see(server: ServerUnderTest, scene: Scene, trial: Trial, turns: readonly Turn[], around: Around = (engine) => engine): Promise<Seen> {
  await using place = await Place.of(server, scene, around);
  await server.set?.();
  if (trial.fault === "gone") return await seeGone(place, server, trial.then);
  using waits = new LongWaits();
  const passage = place.way.watch(trial.at);
  const call = place.call();
  if ((await Promise.race([passage.stopped, call])) !== undefined && passage.is === "passing") throw new Error("the call never came to that point");
  await breakAt(passage, trial, { server, waits, call, turns });
  const told = await call;
  if (trial.fault !== "late") await isOver(passage, server);
  const held = await place.state();
  const again = await place.call();
  const heldAgain = await place.state();
  const isUnheard = isBeforeTheEnd(trial.at, turns);
  if (trial.fault !== "late") return { isUnheard, told, held, again, heldAgain };
  await passage.deliver();
  await isOver(passage, server);
  return { isUnheard, told, held, again, heldAgain, heldLate: await place.state() };
}

/** Of the requests of a call. */
function isBeforeTheEnd({ turn, side, part }: Point, turns: readonly Turn[]): boolean {
  return turn < turns.length - 1 || (side === "client" && part !== "after");
}

/** The connection is gone before the call, and no other is to be had. */
async function seeGone(place: Place, server: ServerUnderTest, then: Refusal): Promise<Seen> {
  const passage = place.way.watch();
  passage.cut();
  await isOver(passage, server);
  place.way.refuse(then);
  const told = await place.call();
  const held = await place.state();
  place.way.refuse(undefined);
  return { isUnheard: true, told, held, again: await place.call(), heldAgain: await place.state() };
}

interface Circumstances {
  readonly server: ServerUnderTest;
  readonly waits: LongWaits;
  readonly call: Promise<unknown>;
  readonly turns: readonly Turn[];
}

async function breakAt(passage: Passage, { fault, at }: Extract<Trial, { readonly at: Point }>, { server, waits, call, turns }: Circumstances): Promise<void> {
  switch (fault) {
    case "cut":
      return passage.cut();
    case "ended":
      return passage.end();
    case "killed":
      await server.end(passage.port);
      return passage.release();
    case "lost":
      await passage.loseReply((turns[at.turn]?.server ?? 0) - at.frame);
      return passage.cut();
    case "frozen":
      waits.pass();
      await call;
      return passage.cut();
    case "late":
      waits.pass();
      await call;
      return undefined;
  }
}

/** On both sides, and the server knows it. What breaks is heard with turns of the event loop. */
async function isOver(passage: Passage, server: ServerUnderTest): Promise<void> {
  await passage.over;
  for (const deadline = performance.now() + waitsMs; await server.has(passage.port);) {
    if (performance.now() > deadline) throw new Error("the server still holds the connection");
  }
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((next) => void setImmediate(next));
}

function answered(told: Told): string {
  if (told.is !== "answered") throw new Error(`without a fault: ${told.said}`);
  return told.answer;
}
