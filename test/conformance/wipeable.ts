/** Engines whose store can be lost under them: what they reach is exchanged for an empty one, as when a server loses its disk. */
import type { Engine, Host, Unlisten } from "../../src/core/engine.ts";

export class Wipeable {
  readonly #make: (generation: number) => () => Engine;
  readonly #doors: Set<Door> = new Set();
  #generation = 0;
  #engine: () => Engine;

  /** `make` answers how to get engines on the store of that generation. */
  constructor(make: (generation: number) => () => Engine) {
    this.#make = make;
    this.#engine = make(0);
  }

  engine(): Engine {
    const door = new Door(this.#engine());
    this.#doors.add(door);
    return door.engine;
  }

  async wipe(): Promise<void> {
    this.#engine = this.#make(++this.#generation);
    for (const door of this.#doors) await door.exchange(this.#engine());
  }
}

class Door {
  readonly engine: Engine;
  readonly #listeners: Map<() => void, Unlisten> = new Map();
  #inner: Engine;
  #host: Host | undefined;

  constructor(inner: Engine) {
    this.#inner = inner;
    const own: Partial<Engine> = {
      open: (host) => {
        this.#host = host;
        return this.#inner.open(host);
      },
      close: () => {
        this.#host = undefined;
        return this.#inner.close();
      },
      listen: async (wake) => {
        this.#listeners.set(wake, await this.#inner.listen(wake));
        return () => {
          this.#listeners.get(wake)?.();
          this.#listeners.delete(wake);
        };
      },
    };
    this.engine = new Proxy(inner, {
      get: (_, name) => {
        if (name in own) return Reflect.get(own, name) as unknown;
        const member: unknown = Reflect.get(this.#inner, name, this.#inner);
        return typeof member === "function" ? (member.bind(this.#inner) as unknown) : member;
      },
    });
  }

  async exchange(inner: Engine): Promise<void> {
    const before = this.#inner;
    this.#inner = inner;
    if (this.#host === undefined) return;
    await inner.open(this.#host);
    for (const [wake, unlisten] of this.#listeners) {
      unlisten();
      this.#listeners.set(wake, await inner.listen(wake));
    }
    await before.close();
  }
}
