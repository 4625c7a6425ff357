/** One process of the run: a worker or a producer, and its ways to the servers. */
import path from "node:path";
import type { ServerAddress } from "../../conformance/sharedEngine.ts";
import { Program, type ProgramEnd } from "../../runtime/program.ts";
import type { Place } from "../stores/place.ts";
import { late } from "../sleep.ts";
import { environmentOf, type Assignment, type Told } from "../workload/assignment.ts";
import { Proxy, type WayIs } from "./proxy.ts";

export type Job = "worker" | "producer";

interface MemberOptions {
  /** Whether its ways to the servers can be disturbed. */
  readonly hasProxies: boolean;
  readonly program?: ((job: Job) => URL) | undefined;
}

const startsWithinMs = 60_000;
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const usual = (job: Job): URL => new URL(`../workload/${job}Main.${extension}`, import.meta.url);

export class Member {
  readonly name: string;
  readonly job: Job;
  readonly #program: Program;
  readonly #proxies: readonly Proxy[];
  readonly #ready: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  /** It has not begun yet, or a fault of it is under way. */
  isTroubled = true;

  private constructor(job: Job, assignment: Assignment, proxies: readonly Proxy[], program: (job: Job) => URL) {
    this.name = assignment.name;
    this.job = job;
    this.#proxies = proxies;
    this.#program = new Program({
      module: program(job),
      env: environmentOf(assignment),
      logFile: path.join(assignment.folder, `${assignment.name}.log`),
      heard: (message) => this.#heard(message as Told),
    });
    this.#ready.promise.catch(() => undefined); // heard by those who wait for it
    const failed = (reason: string): void => this.#ready.reject(new Error(`${this.name} did not begin: ${reason}`));
    this.#program.ended.then(
      ({ code, signal }) => failed(`it ended (${signal ?? code})`),
      (error: unknown) => failed(String(error)),
    );
  }

  static async start(job: Job, assignment: Omit<Assignment, "reach">, place: Place, { hasProxies, program = usual }: MemberOptions): Promise<Member> {
    const servers = hasProxies ? place.servers : [];
    const proxies = await Promise.all(servers.map((server) => Proxy.before(server)));
    const via = (server: ServerAddress): ServerAddress => proxies[servers.indexOf(server)]?.address ?? server;
    const isSame = (server: ServerAddress): ServerAddress => servers.find((one) => one.host === server.host && one.port === server.port) ?? server;
    return new Member(job, { ...assignment, reach: place.reach((server) => via(isSame(server))) }, proxies, program);
  }

  /** Rejects with what kept it from working. */
  async ready(): Promise<void> {
    const isLate = late(startsWithinMs).then(() => this.#ready.reject(new Error(`${this.name} did not begin within ${startsWithinMs / 1_000} s`)));
    await Promise.race([this.#ready.promise, isLate]);
    await this.#ready.promise;
  }

  get isOver(): boolean {
    return this.#program.isOver;
  }

  get ended(): Promise<ProgramEnd> {
    return this.#program.ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#program.signal(signal);
  }

  /** A producer ends when its last call was answered. */
  stop(): void {
    this.#program.tell({ is: "stop" });
  }

  way(is: WayIs, delayMs: number = 0): void {
    for (const proxy of this.#proxies) proxy.set(is, delayMs);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isOver) {
      this.signal(signal);
      this.signal("SIGCONT");
      await this.ended;
    }
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  #heard(told: Told): void {
    if (told.is === "ready") {
      this.isTroubled = false;
      this.#ready.resolve();
    } else this.#ready.reject(new Error(`${this.name} did not begin: ${told.reason}`));
  }
}
