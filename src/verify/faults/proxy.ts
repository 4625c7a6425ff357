/** A way between one process and a server, which can be cut, frozen, slowed down, or made half-open. */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { ServerAddress } from "../../conformance/sharedEngine.ts";
import { after } from "../../runtime/timers.ts";

export type WayIs = "open" | "cut" | "freeze" | "delay" | "half-open";

const here = "127.0.0.1";

/** The two ends of a connection. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export class Proxy {
  readonly #target: ServerAddress;
  readonly #server: Server;
  readonly #pairs: Set<Pair> = new Set();
  #is: WayIs = "open";
  #delayMs = 0;

  private constructor(target: ServerAddress) {
    this.#target = target;
    // Half-closed connections are passed on as such.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  static async before(target: ServerAddress): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, here, resolve);
    });
    return proxy;
  }

  get address(): ServerAddress {
    const address = this.#server.address();
    return { host: here, port: typeof address === "object" && address !== null ? address.port : 0 };
  }

  /** From now on. What was held up goes on where it is open again; what a cut or half-open one swallowed never comes, so its connections end. */
  set(is: WayIs, delayMs: number = 0): void {
    const was = this.#is;
    this.#is = is;
    this.#delayMs = is === "delay" ? delayMs : 0;
    if (is === "cut" || was === "half-open") for (const pair of this.#pairs) reset(pair);
    for (const { client, server } of this.#pairs) {
      for (const socket of [client, server]) {
        if (is === "freeze") socket.pause();
        else socket.resume();
      }
    }
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) reset(pair);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#is === "cut") return void client.resetAndDestroy();
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const pair = { client, server };
    this.#pairs.add(pair);
    const over = (): void => {
      this.#pairs.delete(pair);
      reset(pair);
    };
    this.#pass(client, server, () => true);
    this.#pass(server, client, () => this.#is !== "half-open");
    for (const socket of [client, server]) socket.on("error", over).on("close", over);
    if (this.#is === "freeze") client.pause();
  }

  #pass(from: Socket, to: Socket, isHeard: () => boolean): void {
    const waiting: Buffer[] = [];
    from.on("data", (chunk: Buffer) => {
      if (!isHeard()) return;
      if (this.#delayMs === 0 && waiting.length === 0) return this.#write(from, to, chunk);
      waiting.push(chunk);
      // The first in line, whoever's time it is: the order of bytes stays where the delay becomes less.
      after(this.#delayMs, () => this.#write(from, to, waiting.shift() ?? Buffer.of()));
    });
    from.on("end", () => after(this.#delayMs, () => to.end()));
  }

  /** No more than the other end takes. */
  #write(from: Socket, to: Socket, chunk: Buffer): void {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once("drain", () => {
      if (this.#is !== "freeze") from.resume();
    });
  }
}

function reset({ client, server }: Pair): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
