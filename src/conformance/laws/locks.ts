/** G17, at the port: one live grant, readers share, fences only grow. */
import type { Grant, LockRequest, Waiting } from "../../core/engine.ts";
import { equal, grows, holds } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { World } from "../world.ts";

/** Asks for locks as one process. */
class Asker {
  readonly #world: World;
  readonly #process: ReturnType<World["process"]>;

  constructor(world: World) {
    this.#world = world;
    this.#process = world.process({});
  }

  async ask(ticket: string, mode: "read" | "write", more: Partial<LockRequest> = {}): Promise<Grant | Waiting> {
    await this.#process.broker.open();
    const request: LockRequest = { name: "catalogue", mode, process: ticket, ticket, leaseMs: 8_000, lastFence: 0, ...more };
    return this.#process.port.lock(request, { now: this.#world.now });
  }

  /** What a worker's housekeeping does. */
  async expire(): Promise<void> {
    await this.#process.port.tidy({ items: 100, mayExpire: true }, { now: this.#world.now });
  }

  async unlock(ticket: string): Promise<boolean> {
    return this.#process.port.unlock({ name: "catalogue", ticket }, { now: this.#world.now });
  }
}

function fenceOf(answer: Grant | Waiting): number {
  holds(answer.is === "granted", "it is granted", answer);
  return answer.fence;
}

export const lockLaws: readonly Law[] = [
  law("G17", "a writer's lock is granted to one, and to the next when it is given back", async (world) => {
    const [one, two] = [new Asker(world), new Asker(world)];
    equal([(await one.ask("a", "write")).is, (await two.ask("b", "write")).is], ["granted", "waiting"], "the answers");
    equal([await one.unlock("a"), await one.unlock("a")], [true, false], "the answers to unlock");
    equal((await two.ask("b", "write")).is, "granted", "the answer to the next");
  }),
  law("G17", "readers share, and keep a writer out", async (world) => {
    const asker = new Asker(world);
    equal(
      [(await asker.ask("r1", "read")).is, (await asker.ask("r2", "read")).is, (await asker.ask("w", "write")).is],
      ["granted", "granted", "waiting"],
      "the answers",
    );
  }),
  law("G17", "no later reader passes a waiting writer", async (world) => {
    const asker = new Asker(world);
    await asker.ask("r1", "read");
    await asker.ask("w", "write");
    equal((await asker.ask("r2", "read")).is, "waiting", "the later reader");
    await asker.unlock("r1");
    equal([(await asker.ask("r2", "read")).is, (await asker.ask("w", "write")).is], ["waiting", "granted"], "after the first reader left");
  }),
  law("G17", "writers are served in the order of their tickets", async (world) => {
    const asker = new Asker(world);
    for (const ticket of ["a", "b", "c"]) await asker.ask(ticket, "write");
    await asker.unlock("a");
    equal([(await asker.ask("c", "write")).is, (await asker.ask("b", "write")).is], ["waiting", "granted"], "the last and the next");
  }),
  law("G17", "a lock whose holder fell silent is free after its lease, and its fence is greater", async (world) => {
    const asker = new Asker(world);
    const first = fenceOf(await asker.ask("a", "write"));
    await world.advance("5s");
    equal((await asker.ask("b", "write")).is, "waiting", "before the lease is over");
    await world.advance("4s");
    await asker.expire();
    grows([first, fenceOf(await asker.ask("b", "write"))], "the fences");
  }),
  law("G17", "fences of a lock grow with every grant, and above the largest that the asker knows", async (world) => {
    const asker = new Asker(world);
    const fences: number[] = [];
    for (const ticket of ["a", "b", "c"]) {
      fences.push(fenceOf(await asker.ask(ticket, "write")));
      await asker.unlock(ticket);
    }
    const known = (fences.at(-1) ?? 0) + 10_000_000;
    fences.push(known, fenceOf(await asker.ask("d", "write", { lastFence: known })));
    grows(fences, "the fences");
  }),
  law("G17", "a lock of three permits has three holders", async (world) => {
    const asker = new Asker(world);
    const answers = [];
    for (const ticket of ["a", "b", "c", "d"]) answers.push((await asker.ask(ticket, "write", { permits: 3 })).is);
    equal(answers, ["granted", "granted", "granted", "waiting"], "the answers");
  }),
];
