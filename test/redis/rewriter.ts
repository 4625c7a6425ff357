/** A way to a server on which some of its words are exchanged for others of the same length: a server that says another version of itself. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export class Rewriter implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async before(url: string, from: RegExp, to: (said: string) => string): Promise<Rewriter> {
    const { hostname, port } = new URL(url);
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const onward = connect(Number(port), hostname);
      client.pipe(onward);
      onward.on("data", (data) => client.write(Buffer.from(data.toString("latin1").replace(from, to), "latin1")));
      for (const [one, other] of [
        [client, onward],
        [onward, client],
      ] as const) {
        sockets.add(one);
        one.on("error", () => other.destroy());
        one.once("close", () => other.destroy());
      }
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    return new Rewriter(server, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
