/**
 * One schedule of a scope of core: its own parts, as they are, on a store whose every call is held until a choice lets it go on. Time passes as a step among the others. A call's
 * answer may be lost, or its process die before it is made: then nothing of that process is heard again.
 *
 * Of two reads by different processes, one right after the other, both waiting already, only one order is played: reads change nothing, and each is heard by its own
 * process alone, so that the other order comes to the same. Dying is tried only while a call has been waiting for no other step, as in {@link file://./play.ts}.
 */
import type * as port from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";
import { CoreClock, CoreRuntime } from "./coreClock.ts";
import type { Choose } from "./explore.ts";
import type { OpenStore, Story, Verb } from "./play.ts";
import { shownAnswer, shownCall } from "./shown.ts";
import { Watch } from "./watch.ts";

export interface CoreScope {
  readonly name: string;
  readonly holds: string;
  readonly stage: (stage: Stage) => Promise<CoreCast>;
}

export interface CoreCast {
  /** Time passes so, in this order. */
  readonly times: readonly Ms[];
  /** Once calls are held. */
  readonly begin: () => void;
  /** Which processes may meet a fault. */
  readonly may?: Readonly<Record<string, readonly ("lose" | "die")[]>>;
  /** Everything is let go from here on: what is wrong in the end. */
  readonly check: () => Promise<readonly string[]>;
}

interface Held {
  readonly who: string;
  readonly nth: number;
  readonly isRead: boolean;
  readonly shown: string;
  readonly since: number;
  readonly go: () => void;
  readonly lose: () => void;
}

const verbs: readonly (Verb | "count")[] = ["enqueue", "claim", "settle", "beat", "tidy", "change", "find", "lock", "unlock", "readNote", "count"];
/** What is done as soon as it is asked for: housekeeping takes nothing back that a process with a lease holds. */
const free: ReadonlySet<string> = new Set(["tidy"]);
const reads: ReadonlySet<string> = new Set(["find", "readNote", "count"]);
/** More is a process that asks without end. */
const stepsMost = 200;

export class Stage {
  readonly clock: CoreClock = new CoreClock();
  readonly watch: Watch = new Watch();
  /** As the outcome tells of it. */
  readonly heard: string[] = [];
  readonly #store: OpenStore;
  readonly #tell: ((line: string) => void) | undefined;
  readonly #runtimes: Map<string, CoreRuntime> = new Map();
  readonly #engines: Map<string, port.Engine> = new Map();
  #held: Held[] = [];
  #isHolding = false;
  #steps = 0;

  constructor(store: OpenStore, tell?: (line: string) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  runtime(who: string): CoreRuntime {
    let own = this.#runtimes.get(who);
    if (own === undefined) this.#runtimes.set(who, (own = new CoreRuntime(this.clock, this.#runtimes.size + 1)));
    return own;
  }

  /** The store, as that process reaches it. */
  engine(who: string): port.Engine {
    let own = this.#engines.get(who);
    if (own === undefined) this.#engines.set(who, (own = this.#holding(who)));
    return own;
  }

  /** For whoever stands outside: nothing is held. */
  get store(): port.Engine {
    return this.#store.engine("outside");
  }

  /** Any other thing that is held and made as calls are. */
  call<T>(who: string, shown: string, make: () => port.Maybe<T>, isRead = false): Promise<T> {
    return this.#call(who, { shown, isRead }, make, (answer) => JSON.stringify(answer) ?? "nothing");
  }

  /** Before anything is held: until it is done. */
  async outside<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    for (let turns = 0; !isOver && turns < stepsMost; turns++) await this.clock.rest();
    return work;
  }

  isDead(who: string): boolean {
    return this.#runtimes.get(who)?.isDead === true;
  }

  /** Undefined: it is another order of a schedule that is played. */
  async play(scope: CoreScope, faultsMost: number, choose: Choose): Promise<Story | undefined> {
    const cast = await scope.stage(this);
    this.#isHolding = true;
    cast.begin();
    const isWhole = await this.#all(cast, faultsMost, choose);
    this.#isHolding = false;
    this.#tell?.("  (nothing is held any more)");
    for (const { go } of this.#held.splice(0)) go();
    await this.clock.rest();
    const complaints = await cast.check();
    for (const runtime of this.#runtimes.values()) runtime.isDead = true;
    if (!isWhole) return undefined;
    return { complaints: [...this.watch.complaints, ...complaints], signature: this.heard.join(";"), steps: this.#steps };
  }

  /** False: all that is still held is another order of what was played. */
  async #all(cast: CoreCast, faultsMost: number, choose: Choose): Promise<boolean> {
    const times = [...cast.times];
    let [faults, last] = [faultsMost, undefined as Held | undefined];
    for (;;) {
      await this.clock.rest();
      const going = this.#held.filter((held) => !isOtherOrder(last, held, this.#steps));
      const losing = faults === 0 ? [] : going.filter(({ who }) => cast.may?.[who]?.includes("lose") === true);
      const dying = faults === 0 ? [] : going.filter(({ who, since }) => since === this.#steps && cast.may?.[who]?.includes("die") === true);
      const options = going.length + losing.length + dying.length + (times.length > 0 ? 1 : 0);
      if (options === 0) return this.#held.length === 0;
      if (this.#steps === stepsMost) throw new RangeError(`a schedule has more than ${stepsMost} steps`);
      const choice = choose(options);
      last = undefined;
      const held = going[choice] ?? losing[choice - going.length];
      const victim = dying[choice - going.length - losing.length];
      if (held !== undefined) {
        this.#steps++;
        this.#held = this.#held.filter((one) => one !== held);
        if (choice < going.length) held.go();
        else held.lose();
        if (choice < going.length) last = held;
        else faults--;
      } else if (victim !== undefined) {
        faults--;
        this.#dies(victim.who);
      } else {
        this.#steps++;
        const ms = times.shift() ?? 0;
        this.#tell?.(`  ${ms} ms pass`);
        await this.clock.pass(ms);
      }
    }
  }

  #dies(who: string): void {
    this.#tell?.(`  ${who} dies`);
    this.heard.push(`${who} †`);
    this.runtime(who).isDead = true;
    this.#held = this.#held.filter((held) => held.who !== who);
  }

  #holding(who: string): port.Engine {
    const inner = this.#store.engine(who);
    const own = Object.fromEntries(
      verbs.map((verb) => {
        const make = (inner[verb] as (...args: unknown[]) => unknown).bind(inner);
        const call = (...args: unknown[]): unknown => {
          const given = args.slice(0, -1);
          const made = (): unknown => {
            const answer = make(...given, { now: this.clock.now });
            if (verb !== "count") this.watch.saw(verb, given, answer, this.clock.now);
            return answer;
          };
          const shown = verb === "count" ? "counts" : shownCall(verb, given);
          return this.#call(who, { shown, isRead: reads.has(verb), isFree: free.has(verb) }, made, (answer) =>
            verb === "count" ? "" : shownAnswer(verb, answer),
          );
        };
        return [verb, call];
      }),
    );
    return new Proxy(inner, {
      get: (target, name) => {
        const verb: unknown = own[name as string] ?? Reflect.get(target, name, target);
        if (name === "outbox" || name === "beatSource") return undefined;
        if (name === "listen") return () => () => undefined;
        return typeof verb === "function" ? (verb.bind(target) as unknown) : verb;
      },
    });
  }

  #call<T>(
    who: string,
    { shown, isRead, isFree = false }: Pick<Held, "shown" | "isRead"> & { readonly isFree?: boolean },
    make: () => port.Maybe<T>,
    answered: (answer: T) => string,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const made = (isHeard: boolean): void => {
      // Nobody hears what a dead process would.
      if (this.isDead(who)) return;
      try {
        const answer = make() as T;
        this.#tell?.(`  ${who} ${shown} → ${answered(answer)}${isHeard ? "" : " … and does not hear it"}`);
        if (!isRead) this.heard.push(`${who} ${isHeard ? answered(answer) : "?"}`);
        if (isHeard) resolve(answer);
        else reject(new ErrandError("store-failed", "the answer was lost"));
      } catch (error) {
        this.#tell?.(`  ${who} ${shown} fails: ${String(error)}`);
        reject(error as Error);
      }
    };
    if (!this.#isHolding || isFree) made(true);
    else this.#held.push({ who, nth: this.#place(who), isRead, shown, since: this.#steps, go: () => made(true), lose: () => made(false) });
    return promise;
  }

  #place(who: string): number {
    return [...this.#runtimes.keys()].indexOf(who);
  }
}

/** A read that could have gone before the read that went last, by one who comes before that one. */
function isOtherOrder(last: Held | undefined, held: Held, steps: number): boolean {
  return last !== undefined && last.isRead && held.isRead && held.nth < last.nth && held.since < steps;
}
