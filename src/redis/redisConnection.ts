/** A connection that is there when it is asked for: after it broke, the next call makes another one, which is greeted before anything else. */
import type { Ms } from "../core/runtime.ts";
import { redisAnswerMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Argument, Connection, Ear, Hearing, Reach } from "./client.ts";
import type { Script } from "./fragment.ts";
import { patiently } from "./patience.ts";
import type { Clock } from "./patience.ts";
import { Replicas } from "./replicas.ts";
import { runScript } from "./scripts.ts";
import type { Way } from "./way.ts";
import type { Wire } from "./wire.ts";

/** What a new connection is asked first. Where it throws, the connection is not used. */
export type Greeting = (greeted: Pick<Connection, "name" | "ask" | "run">) => Promise<void>;

export interface ConnectionOptions {
  readonly answerMs?: Ms;
  /** So many replicas have what `write` wrote. */
  readonly replicas?: number;
  /** Where the servers are a cluster, calls are made again by it. */
  readonly clock?: Clock | undefined;
}

interface Line {
  readonly wire: Wire;
  readonly replicas: Replicas;
}

interface Heard {
  readonly at: string;
  lose(error: Error): void;
}

export class RedisConnection implements Connection {
  readonly name: string;
  readonly isCluster: boolean;
  readonly #way: Way;
  readonly #answerMs: Ms;
  readonly #replicas: number;
  readonly #clock: Clock | undefined;
  #greeting: Greeting | undefined;
  #line: Line | undefined;
  #opening: Promise<Line> | undefined;
  readonly #heard: Set<Heard> = new Set();
  readonly #pending: Set<Promise<unknown>> = new Set();
  #isClosed = false;

  constructor(way: Way, { answerMs = redisAnswerMs, replicas = 0, clock }: ConnectionOptions = {}) {
    this.#way = way;
    this.#answerMs = answerMs;
    this.#replicas = replicas;
    this.#clock = clock;
    this.name = way.name;
    this.isCluster = way.isCluster;
  }

  /** From the next connection on. */
  greetBy(greeting: Greeting): void {
    this.#greeting = greeting;
  }

  run(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#on(({ wire }) => runScript((command, all) => wire.ask(command, all), script, key, args));
  }

  write(script: Script, key: string, args: readonly Argument[]): Promise<unknown> {
    return this.#on(async ({ wire, replicas }) => {
      const answer = await runScript((command, all) => wire.ask(command, all), script, key, args);
      await replicas.have();
      return answer;
    });
  }

  ask(command: string, ...args: readonly Argument[]): Promise<unknown> {
    return this.#on(({ wire }) => wire.ask(command, args));
  }

  async hear(channel: string, ear: Ear): Promise<Hearing> {
    const wire = await this.#way.dialToHear(this.#answerMs);
    let isOver = false;
    const end = (): void => {
      isOver = true;
      this.#heard.delete(heard);
      wire.end();
    };
    const lose = (error: Error): void => {
      if (isOver) return;
      end();
      ear.lost(error);
    };
    const heard: Heard = { at: wire.name, lose };
    this.#heard.add(heard);
    wire.hear((message) => {
      if (!isOver) ear.heard(message);
    }, lose);
    try {
      await wire.ask("subscribe", [channel]);
    } catch (error) {
      end();
      throw error;
    }
    return { probe: async () => void (await wire.ask("ping", [])), end };
  }

  reach(): Reach | undefined {
    return this.#way.reach();
  }

  /** What is under way ends first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#pending);
    this.#line?.wire.end();
    this.#line = undefined;
  }

  #on<T>(work: (line: Line) => Promise<T>): Promise<T> {
    const call = (): Promise<T> => {
      const current = this.#line;
      return current !== undefined && !current.wire.isOver ? work(current) : this.#connected().then(work);
    };
    const answer = this.isCluster ? patiently(this.#clock, call) : call();
    this.#pending.add(answer);
    const done = (): boolean => this.#pending.delete(answer);
    answer.then(done, done);
    return answer;
  }

  #connected(): Promise<Line> {
    if (this.#isClosed) return Promise.reject(new ErrandError("broker-closed", `the connection to ${this.name} was closed; open its broker before using it`));
    return (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  async #open(): Promise<Line> {
    const wire = await this.#way.dial(this.#answerMs);
    const ask = (command: string, args: readonly Argument[]): Promise<unknown> => wire.ask(command, args);
    try {
      await this.#greeting?.({
        name: wire.name,
        ask: (command, ...args) => ask(command, args),
        run: (script, key, args) => runScript(ask, script, key, args),
      });
    } catch (error) {
      wire.end();
      throw error;
    }
    // Of a cluster, another node than before: the one that is heard may be cut off from it.
    for (const heard of this.#heard) if (heard.at !== wire.name) heard.lose(new Error(`the keys are not at ${heard.at} any more`));
    return (this.#line = { wire, replicas: new Replicas(ask, wire.name, this.#replicas) });
  }
}
