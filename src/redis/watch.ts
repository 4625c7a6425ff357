/** Looks at what the server is set to, when it is opened, after each reconnect and each minute, and says in the log when it is another than it was. */
import { redisLookEveryMs } from "../core/defaults.ts";
import { ErrandError } from "../core/errors.ts";
import type { Runtime, Timer } from "../core/runtime.ts";
import type { Connection } from "./client.ts";
import { durabilityOf, isWeaker, nameOf, saidOf } from "./durability.ts";
import type { Durability } from "./durability.ts";
import { infoOf } from "./info.ts";
import type { Info } from "./info.ts";
import { refuseEvicting } from "./open.ts";

export class Watch {
  readonly #runtime: Runtime;
  readonly #connection: Connection;
  readonly #replicas: number;
  #durability: Durability | undefined;
  #isEvicting = false;
  #isShort = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(runtime: Runtime, connection: Connection, replicas: number) {
    this.#runtime = runtime;
    this.#connection = connection;
    this.#replicas = replicas;
  }

  /** As last read. */
  get durability(): Durability {
    return this.#durability ?? { disk: "memory", replicas: this.#replicas, notes: [] };
  }

  /** With each new connection. */
  async greeted(session: Pick<Connection, "ask">, info: Info): Promise<void> {
    this.#note(await durabilityOf(session, this.#replicas, info.aof_enabled === undefined ? undefined : info));
    this.#isEvicting = false;
    this.#judgeReplicas(info);
    this.#later();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** A virtual clock's minutes pass without the server. */
  #later(): void {
    this.#timer?.cancel();
    if (this.#isClosed || this.#runtime.storeTime !== undefined) return;
    this.#timer = this.#runtime.after(
      redisLookEveryMs,
      () => {
        this.#look().catch((error: unknown) => this.#runtime.log.debug({ err: error }, "the server's settings could not be read"));
        this.#later();
      },
      { background: true },
    );
  }

  async #look(): Promise<void> {
    const info = infoOf(await this.#connection.ask("info"));
    this.#note(await durabilityOf(this.#connection, this.#replicas, info));
    this.#judgeEviction(info);
    this.#judgeReplicas(info);
  }

  /** It was fit when it was opened: work goes on, and is told each time that this may lose it. */
  #judgeEviction(info: Info): void {
    try {
      refuseEvicting(info, this.#connection.name);
      this.#isEvicting = false;
    } catch (error) {
      if (!ErrandError.is(error)) throw error;
      if (!this.#isEvicting) this.#runtime.log.error({ err: error }, "the server may throw jobs away: its maxmemory-policy was changed");
      this.#isEvicting = true;
    }
  }

  /** Each write is in doubt until they are back; that is told with each, and here before. */
  #judgeReplicas({ connected_slaves: connected }: Info): void {
    if (connected === undefined) return;
    const isShort = Number(connected) < this.#replicas;
    if (isShort && !this.#isShort) {
      this.#runtime.log.warn(
        { store: this.#connection.name, replicas: Number(connected), wanted: this.#replicas },
        `${connected} of ${this.#replicas} replicas follow the server, so no write can be acknowledged: bring the others back, or ask for fewer`,
      );
    }
    this.#isShort = isShort;
  }

  #note(now: Durability): void {
    const before = this.#durability;
    this.#durability = now;
    const details = { store: this.#connection.name, durability: nameOf(now), disk: now.disk, replicas: now.replicas };
    if (before === undefined) this.#runtime.log.info(details, `durability of the store: ${saidOf(now)}`);
    else if (isWeaker(now, before)) this.#runtime.log.warn({ ...details, was: nameOf(before) }, `acknowledged work survives less than before: ${saidOf(now)}`);
    else if (now.disk !== before.disk) this.#runtime.log.info({ ...details, was: nameOf(before) }, `durability of the store: ${saidOf(now)}`);
  }
}
