/** One connection by a driver, from connecting to its end: it never connects again, sends nothing twice, and keeps nothing to be sent later. */
import { redisAnswerMs, redisConnectMs } from "../core/defaults.ts";
import type { ErrandError } from "../core/errors.ts";
import type { Ms } from "../core/runtime.ts";
import type { Argument } from "./client.ts";
import type { RedisClient, Stream } from "./driver.ts";
import { endsConnection, failureOf } from "./failure.ts";
import type { Sent } from "./failure.ts";

const keepAliveMs = 10_000;
const never = (): null => null;

/** A driver left to itself waits, repeats and connects again; then nobody knows whether a call was made. `answerMs`: a command not answered by then fails. */
export function wireOptions(answerMs: Ms = redisAnswerMs): object {
  return {
    lazyConnect: true,
    connectTimeout: redisConnectMs,
    commandTimeout: answerMs,
    sentinelCommandTimeout: redisConnectMs,
    disconnectTimeout: 0,
    retryStrategy: null,
    sentinelRetryStrategy: never,
    reconnectOnError: null,
    failoverDetector: false,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    enableReadyCheck: false,
    enableAutoPipelining: false,
    keyPrefix: "",
    readOnly: false,
    monitor: false,
    stringNumbers: false,
    protocol: 2,
    replyMapping: "legacy",
    noDelay: true,
    keepAlive: keepAliveMs,
    connectionName: "errand",
  };
}

export class Wire {
  readonly name: string;
  readonly #client: RedisClient;
  #pending = 0;
  #isGathering = false;
  #isOver = false;
  #isEnded = false;
  #error: Error | undefined;

  private constructor(client: RedisClient, name: string) {
    this.#client = client;
    this.name = name;
    client.on("error", (error) => void (this.#error ??= error as Error));
    client.on("end", () => void (this.#isOver = true));
  }

  /** `client`: of `wireOptions`, and not connected. Throws ErrandError, definite. */
  static async open(client: RedisClient, name: string): Promise<Wire> {
    const wire = new Wire(client, name);
    try {
      await client.connect();
      // Drivers call a connection ready before they know whether the password is right, and whether the database is there; without it they would go on in database 0.
      await client.call("ping", []);
      if (wire.#error !== undefined) throw wire.#error;
    } catch (error) {
      wire.end();
      throw wire.#failure(wire.#error ?? error, "not sent");
    }
    // It keeps no process alive that waits for nothing.
    wire.#stream?.unref?.();
    return wire;
  }

  get isOver(): boolean {
    return this.#isOver || this.#client.status !== "ready";
  }

  /** Throws ErrandError. */
  async ask(command: string, args: readonly Argument[]): Promise<unknown> {
    if (this.isOver) throw this.#failure(new Error("Connection is closed."), "not sent");
    if (this.#pending++ === 0) this.#stream?.ref?.();
    this.#gather();
    try {
      return await this.#client.call(command, [...args]);
    } catch (error) {
      withoutArguments(error);
      // Each of those under way has an answer of its own from a server that answers.
      if (endsConnection(error)) this.#isOver = true;
      if (this.#isOver && !isAnswer(error)) this.end();
      throw this.#failure(error, isUnsent(error) ? "not sent" : "sent");
    } finally {
      if (--this.#pending === 0) this.#rest();
    }
  }

  /** Calls `heard` for each message of the channels that were subscribed to, and `lost` once, at the end. */
  hear(heard: (message: string) => void, lost: (error: Error) => void): void {
    this.#client.on("message", (_channel, message) => heard(String(message)));
    this.#client.on("end", () => lost(this.#error ?? new Error("Connection is closed.")));
  }

  /** What is under way fails: half open, nobody would say goodbye. Each call that fails of it comes here again. */
  end(): void {
    this.#isOver = true;
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#client.disconnect();
    this.#stream?.destroy?.();
  }

  /** What is asked in one go is sent in one piece: each by itself costs both sides a system call. */
  #gather(): void {
    const stream = this.#stream;
    if (this.#isGathering || stream?.cork === undefined) return;
    this.#isGathering = true;
    stream.cork();
    queueMicrotask(() => {
      this.#isGathering = false;
      stream.uncork?.();
    });
  }

  #rest(): void {
    if (this.#isOver) this.end();
    else this.#stream?.unref?.();
  }

  #failure(error: unknown, sent: Sent): ErrandError {
    const isClosed = error instanceof Error && /Connection is closed/.test(error.message);
    return failureOf(isClosed ? (this.#error ?? error) : error, this.name, sent);
  }

  get #stream(): Stream | undefined {
    return (this.#client as { readonly stream?: Stream | null }).stream ?? undefined;
  }
}

/** Drivers put what was asked, payloads and all, on the error, and so into logs. */
function withoutArguments(error: unknown): void {
  if (error instanceof Error) Reflect.deleteProperty(error, "command");
}

function isAnswer(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

function isUnsent(error: unknown): boolean {
  return error instanceof Error && /isn't writeable/.test(error.message);
}
