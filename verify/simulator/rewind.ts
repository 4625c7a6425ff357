/**
 * A store that may lose its end, or all, under those who use it, as a server that falls over to one which lags behind. What was done is written down, call by call,
 * and done again on an empty one up to where it is to go back to: so it is of another era, and knows what it knew then.
 */
import { isDeepStrictEqual } from "node:util";
import type { EngineMaker } from "../../src/conformance/index.ts";
import type * as port from "../../src/core/engine.ts";

const writing = ["enqueue", "claim", "settle", "beat", "tidy", "change", "lock", "unlock"] as const;
/** They change nothing but how far the store's clock has come. */
const looking = ["find", "count", "readNote"] as const;
type Verb = (typeof writing)[number] | (typeof looking)[number];

interface Done {
  readonly verb: Verb;
  readonly args: readonly unknown[];
  readonly answer: unknown;
}

interface Door {
  inner: port.Engine;
  host: port.Host | undefined;
}

type TestStore = Awaited<ReturnType<EngineMaker["open"]>>;

export interface Rewound {
  /** Jobs, events and batches that it does not know any more. */
  readonly forgotten: readonly string[];
  /** What it answered otherwise than the first time. */
  readonly complaints: readonly string[];
}

export class Rewindable {
  readonly #maker: EngineMaker;
  readonly #watched: (engine: port.Engine) => port.Engine;
  readonly #isRecording: boolean;
  readonly #doors: Set<Door> = new Set();
  readonly #spent: TestStore[] = [];
  /** All that listen, over all doors: the first one hears for them, or each would look for itself some fifty times a second. */
  readonly #wakes: Set<() => void> = new Set();
  #done: Done[] = [];
  #store: TestStore;

  static async open(maker: EngineMaker, watched: (engine: port.Engine) => port.Engine, isRecording: boolean): Promise<Rewindable> {
    return new Rewindable(maker, await maker.open(), watched, isRecording);
  }

  private constructor(maker: EngineMaker, store: TestStore, watched: (engine: port.Engine) => port.Engine, isRecording: boolean) {
    this.#maker = maker;
    this.#store = store;
    this.#watched = watched;
    this.#isRecording = isRecording;
  }

  /** Calls so far that may have changed something. */
  get length(): number {
    return this.#done.length;
  }

  /** A connection of its own. The first is to be opened before the others, and to stay open. */
  engine(): port.Engine {
    const door: Door = { inner: this.#watched(this.#store.engine()), host: undefined };
    const isFirst = this.#doors.size === 0;
    this.#doors.add(door);
    const own: Record<string, unknown> = {
      open: async (host: port.Host) => {
        door.host = host;
        await door.inner.open(host);
        if (isFirst) await door.inner.listen(this.#wake);
      },
      close: async () => {
        this.#doors.delete(door);
        await closed(door);
      },
      listen: (wake: () => void) => this.#listen(wake),
    };
    if (this.#isRecording) for (const verb of [...writing, ...looking]) own[verb] = (...args: unknown[]) => this.#record(door, verb, args);
    return new Proxy(door.inner, {
      get: (_, name) => {
        if (name in own) return own[name as string];
        const member: unknown = Reflect.get(door.inner, name, door.inner);
        if (typeof member !== "function") return member;
        // Looked up anew at each call: it may be another store by then.
        return (...args: unknown[]): unknown => (Reflect.get(door.inner, name, door.inner) as (...given: unknown[]) => unknown).apply(door.inner, args);
      },
    });
  }

  /** To where it stood after so many calls. */
  async rewind(length: number): Promise<Rewound> {
    const lost = this.#done.splice(length);
    this.#spent.push(this.#store);
    this.#store = await this.#maker.open();
    for (const door of this.#doors) await exchange(door, this.#watched(this.#store.engine()));
    const [first] = this.#doors;
    const complaints: string[] = [];
    if (first === undefined) throw new Error("a store that nobody uses cannot go back");
    await first.inner.listen(this.#wake);
    for (const { verb, args, answer } of this.#done) {
      const again = await called(first.inner, verb, args);
      if (!isLooking(verb) && !isSame(verb, again, answer))
        complaints.push(`I0 ${verb} was answered otherwise when it was done again: ${JSON.stringify([args, answer, again])}`);
    }
    return { forgotten: lost.flatMap(idsOf), complaints };
  }

  async dispose(): Promise<void> {
    for (const door of this.#doors) await closed(door);
    for (const store of [...this.#spent, this.#store]) await store.dispose();
  }

  #listen(wake: () => void): port.Unlisten {
    const own = (): void => wake();
    this.#wakes.add(own);
    return () => this.#wakes.delete(own);
  }

  readonly #wake = (): void => {
    for (const wake of this.#wakes) wake();
  };

  async #record(door: Door, verb: Verb, args: readonly unknown[]): Promise<unknown> {
    const done = this.#done;
    const place = done.push({ verb, args, answer: undefined }) - 1;
    const answer = await called(door.inner, verb, args);
    if (!isLooking(verb)) done[place] = { verb, args, answer };
    if (answer instanceof Thrown) throw answer.error;
    return answer;
  }
}

function isLooking(verb: Verb): boolean {
  return (looking as readonly string[]).includes(verb);
}

class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

async function called(engine: port.Engine, verb: Verb, args: readonly unknown[]): Promise<unknown> {
  try {
    return await (engine[verb] as (...given: readonly unknown[]) => unknown).apply(engine, [...args]);
  } catch (error) {
    return new Thrown(error);
  }
}

/** Once, where it was opened. */
async function closed(door: Door): Promise<void> {
  const isOpen = door.host !== undefined;
  door.host = undefined;
  if (isOpen) await door.inner.close();
}

async function exchange(door: Door, inner: port.Engine): Promise<void> {
  const before = door.inner;
  door.inner = inner;
  if (door.host === undefined) return;
  await inner.open(door.host);
  await before.close();
}

/** Another era has another name. */
function isSame(verb: Verb, one: unknown, other: unknown): boolean {
  if (one instanceof Thrown || other instanceof Thrown) return one instanceof Thrown && other instanceof Thrown && String(one.error) === String(other.error);
  const plain = (answer: unknown): unknown => (verb === "beat" ? { ...(answer as port.Heard), era: "" } : answer);
  return isDeepStrictEqual(plain(one), plain(other));
}

function idsOf({ verb, args }: Done): string[] {
  if (verb !== "enqueue") return [];
  return (args[0] as readonly port.Atom[]).flatMap(({ works }) => works.map(({ id }) => id));
}
