/** The worker processes of an answer, as one. */
import { fork, type ChildProcess } from "node:child_process";
import type { Figures } from "./systems/system.ts";
import type { How } from "./working.ts";
import type { Said, Spent, Told } from "./workerProcess.ts";

export class Workers {
  readonly #processes: One[];
  readonly #fork: () => One;
  /** Of those that were killed. */
  #runsOfDead = 0;
  #secondsOfDead = 0;

  private constructor(fork: () => One, count: number) {
    this.#fork = fork;
    this.#processes = Array.from({ length: count }, fork);
  }

  /** Connected, and not yet at work. */
  static async ready(system: string, url: string, how: How, count: number): Promise<Workers> {
    const workers = new Workers(() => new One(system, url, how), count);
    await Promise.all(workers.#processes.map((one) => one.isReady));
    return workers;
  }

  get runs(): number {
    return this.#processes.reduce((sum, one) => sum + one.runs, this.#runsOfDead);
  }

  /** Called when more runs are known of; with the time where it was asked for. */
  set onRuns(heard: (at: string | undefined) => void) {
    for (const one of this.#processes) one.heard = heard;
  }

  start(): Promise<unknown> {
    return this.#all("start");
  }

  /** Stopped well: what ran is stored. */
  stop(): Promise<unknown> {
    return this.#all("stop");
  }

  async cpuSeconds(): Promise<number> {
    return (await this.#all("spent")).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, this.#secondsOfDead);
  }

  /** Of what started since this was asked last, where jobs are timed and there is one process. */
  async delays(): Promise<Figures> {
    return (await this.#all("delays"))[0]?.delays ?? {};
  }

  /** In bytes, after garbage was collected. */
  async heapBytes(): Promise<number> {
    return (await this.#all("heap")).reduce((sum, { heapBytes = Number.NaN }) => sum + heapBytes, 0);
  }

  /** The eldest is killed with all it holds, and another one takes its place as soon as it can. */
  async replaceOne(): Promise<void> {
    const dead = this.#processes.shift();
    this.#secondsOfDead += (await dead?.say("spent"))?.cpuSeconds ?? 0;
    dead?.kill();
    this.#runsOfDead += dead?.runs ?? 0;
    const next = this.#fork();
    await next.isReady;
    await next.say("start");
    this.#processes.push(next);
  }

  end(): void {
    for (const one of this.#processes) one.end();
  }

  #all(said: Said): Promise<Spent[]> {
    return Promise.all(this.#processes.map((one) => one.say(said)));
  }
}

class One {
  heard: (at: string | undefined) => void = () => undefined;
  readonly isReady: Promise<unknown>;
  readonly #process: ChildProcess;
  #runs = 0;
  #failure: Error | undefined;
  #waiting: { readonly answered: (spent: Spent | undefined) => void; readonly failed: (error: Error) => void }[] = [];

  constructor(system: string, url: string, how: How) {
    this.#process = fork(new URL("./workerProcess.ts", import.meta.url), [system, url, JSON.stringify(how)], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      // The one line on our own stdout is the answer.
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.isReady = this.#answer();
    this.#process.on("message", (told: Told) => this.#hear(told));
    this.#process.on("exit", (code, signal) => {
      this.#failure = new Error(`a worker process of ${system} ended with ${code ?? signal}`);
      for (const { failed } of this.#waiting) failed(this.#failure);
      this.heard(undefined);
    });
  }

  /** Throws if the process is gone. */
  get runs(): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#runs;
  }

  async say(said: Said): Promise<Spent> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#process.send(said);
    return (await this.#answer()) ?? { is: "spent", cpuSeconds: Number.NaN };
  }

  end(): void {
    this.#process.removeAllListeners();
    this.#process.kill();
  }

  /** Whatever it is doing. */
  kill(): void {
    this.#process.removeAllListeners();
    this.#process.kill("SIGKILL");
  }

  #answer(): Promise<Spent | undefined> {
    return new Promise((answered, failed) => this.#waiting.push({ answered, failed }));
  }

  #hear(told: Told): void {
    if (told.is === "ran") this.#runs = told.runs;
    if (told.is === "ran" || told.is === "started") this.heard(told.is === "started" ? told.at : undefined);
    else this.#waiting.shift()?.answered(told.is === "spent" ? told : undefined);
  }
}
