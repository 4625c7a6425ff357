/** A way to a server that can be cut or frozen, as networks do, or lead to another server. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export class Proxy implements AsyncDisposable {
  /** The server's URL, through here. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #servers = new Set<Socket>();
  #isFrozen = false;
  #to: URL;

  private constructor(server: Server, url: string, to: URL) {
    this.#server = server;
    this.url = url;
    this.#to = to;
  }

  static async before(url: string): Promise<Proxy> {
    const server = createServer((from) => proxy.#pass(from));
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const own = new URL(url);
    own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxy = new Proxy(server, own.href, new URL(url));
    return proxy;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Breaks what is connected; new connections are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** New connections reach another server; what is connected stays where it is. */
  leadTo(url: string): void {
    this.#to = new URL(url);
  }

  /** Nothing goes through those that are connected, and neither side hears of it: half open. New connections are let through. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().removeAllListeners("data").pause();
    this.#isFrozen = true;
  }

  /** What the servers say from now on over these connections is lost on its way; what is asked arrives. */
  muffle(): void {
    for (const socket of this.#servers) socket.unpipe().resume();
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#server.close(closed));
  }

  #pass(from: Socket): void {
    const onward = connect(Number(this.#to.port || 5432), this.#to.hostname);
    this.#servers.add(onward);
    onward.once("close", () => this.#servers.delete(onward));
    for (const [one, other] of [
      [from, onward],
      [onward, from],
    ] as const) {
      this.#sockets.add(one);
      // Small messages would wait 40 ms for one another.
      one.setNoDelay(true);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
