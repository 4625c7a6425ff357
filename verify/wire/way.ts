/** A way to a server that passes on message by message, counts them, and stops at the one it was told. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { Frames } from "./frames.ts";
import type { LengthOf } from "./frames.ts";

export type Side = "client" | "server";

/** In an exchange: which request with its reply, whose message of it, and before it is passed on, when half of it is, or after. */
export interface Point {
  readonly turn: number;
  readonly side: Side;
  readonly frame: number;
  readonly part: "before" | "middle" | "after";
}

/** How many messages a request has, and its reply. */
export type Turn = Readonly<Record<Side, number>>;

/** `waits`: nothing passes, and what comes is kept. `deaf`: what the server says is lost. */
type Is = "passing" | "waits" | "deaf" | "over";

export class Way implements AsyncDisposable {
  readonly #server: Server;
  readonly #to: URL;
  readonly #lengthOf: LengthOf;
  readonly #passages: Set<Passage> = new Set();
  #refuses: Refusal | undefined;

  private constructor(server: Server, to: URL, lengthOf: LengthOf) {
    this.#server = server;
    this.#to = to;
    this.#lengthOf = lengthOf;
  }

  static async before(url: string, lengthOf: LengthOf): Promise<Way> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => way.#accept(client));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const way: Way = new Way(server, new URL(url), lengthOf);
    return way;
  }

  get url(): string {
    const url = new URL(this.#to);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** Of the only connection there is: from now on its messages are counted, up to a point. */
  watch(stop?: Point): Passage {
    const [passage, ...others] = [...this.#passages].filter(({ is }) => is !== "over");
    if (passage === undefined || others.length > 0) throw new Error(`there are ${passage === undefined ? 0 : others.length + 1} connections, not one`);
    passage.watch(stop, this.#lengthOf);
    return passage;
  }

  /** What becomes of new connections; undefined: they are let through. */
  refuse(how: Refusal | undefined): void {
    this.#refuses = how;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const passage of this.#passages) passage.cut();
    await new Promise((closed) => this.#server.close(closed));
  }

  #accept(client: Socket): void {
    if (this.#refuses === "at once") return void client.resetAndDestroy();
    const passage = new Passage(client, connect({ host: this.#to.hostname, port: Number(this.#to.port), allowHalfOpen: true, noDelay: true }));
    this.#passages.add(passage);
    if (this.#refuses === "when it asks") client.prependOnceListener("data", () => passage.cut());
    if (this.#refuses === "when it is answered") passage.server.prependOnceListener("data", () => passage.cut());
    void passage.over.then(() => this.#passages.delete(passage));
  }
}

export type Refusal = "at once" | "when it asks" | "when it is answered";

/** One connection. */
export class Passage {
  readonly client: Socket;
  readonly server: Socket;
  /** Both ends are closed. */
  readonly over: Promise<unknown>;
  /** The point has come. */
  readonly stopped: Promise<void>;
  readonly turns: { client: number; server: number }[] = [];
  /** How each request begins. */
  readonly asked: string[] = [];
  readonly #stop: () => void;
  #port: number | undefined;
  #is: Is = "passing";
  #point: Point | undefined;
  #frames: Readonly<Record<Side, Frames>> | undefined;
  #last: Side = "server";
  readonly #kept: { readonly from: Side; readonly bytes: Buffer | "end" }[] = [];
  #heardAll: (() => void) | undefined;
  #answersLeft = 0;

  constructor(client: Socket, server: Socket) {
    this.client = client;
    this.server = server;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stopped = promise;
    this.#stop = resolve;
    server.once("connect", () => (this.#port = server.localPort));
    for (const [side, socket] of [
      ["client", client],
      ["server", server],
    ] as const) {
      socket.on("data", (bytes: Buffer) => this.#come(side, bytes));
      socket.on("end", () => this.#come(side, "end"));
      socket.on("error", () => this.#fail(side));
    }
    this.over = Promise.all([closeOf(client), closeOf(server)]).then(() => (this.#is = "over"));
  }

  get is(): Is {
    return this.#is;
  }

  /** By which the server knows it. */
  get port(): number {
    if (this.#port === undefined) throw new Error("it is not connected to the server");
    return this.#port;
  }

  watch(stop: Point | undefined, lengthOf: LengthOf): void {
    this.#point = stop;
    this.#frames = { client: new Frames(lengthOf), server: new Frames(lengthOf) };
  }

  /** What was kept goes on, and all that comes. */
  release(): void {
    this.#is = "passing";
    this.#point = undefined;
    for (const { from, bytes } of this.#kept.splice(0)) this.#pass(from, bytes);
  }

  cut(): void {
    for (const socket of [this.client, this.server]) socket.resetAndDestroy();
  }

  /** Goodbye to both sides, as from the other. */
  async end(): Promise<void> {
    for (const socket of [this.client, this.server]) {
      socket.resume();
      socket.end();
    }
    await this.over;
  }

  /** The request goes on and its reply of so many messages is lost; resolves when it has come. */
  async loseReply(messages: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#is = "deaf";
    this.#answersLeft = messages;
    this.#heardAll = resolve;
    for (const { from, bytes } of this.#kept.splice(0)) {
      if (from === "client") this.#pass(from, bytes);
      else this.#lose(bytes);
    }
    await promise;
  }

  /** What was kept of the request comes to the server at last; resolves when that has ended the connection. */
  async deliver(): Promise<void> {
    for (const { from, bytes } of this.#kept.splice(0)) if (from === "client" && bytes !== "end") this.server.write(bytes);
    this.#is = "deaf";
    this.server.end();
    await closeOf(this.server);
    this.client.destroy();
  }

  #come(from: Side, bytes: Buffer | "end"): void {
    if (bytes === "end" || this.#frames === undefined) return this.#take(from, bytes);
    for (const frame of this.#frames[from].of(bytes)) this.#take(from, frame);
  }

  /** One message, where they are counted. */
  #take(from: Side, bytes: Buffer | "end"): void {
    if (this.#is === "waits") this.#kept.push({ from, bytes });
    else if (this.#is === "deaf" && from === "server") this.#lose(bytes);
    else if (bytes === "end" || this.#frames === undefined || this.#is === "deaf") this.#pass(from, bytes);
    else this.#count(from, bytes);
  }

  #count(side: Side, frame: Buffer): void {
    if (side === "client" && this.#last === "server") {
      this.turns.push({ client: 0, server: 0 });
      this.asked.push(frame.toString("latin1"));
    }
    this.#last = side;
    const turn = this.turns.length - 1;
    const counts = this.turns[turn];
    if (counts === undefined) return this.#pass(side, frame);
    const part = this.#partAt(turn, side, counts[side]++);
    const passed = part === "before" ? 0 : part === "middle" ? Math.floor(frame.length / 2) : frame.length;
    if (passed > 0) this.#pass(side, frame.subarray(0, passed));
    if (part === undefined) return;
    this.#is = "waits";
    if (passed < frame.length) this.#kept.push({ from: side, bytes: frame.subarray(passed) });
    this.#stop();
  }

  #partAt(turn: number, side: Side, frame: number): Point["part"] | undefined {
    const point = this.#point;
    return point?.turn === turn && point.side === side && point.frame === frame ? point.part : undefined;
  }

  #lose(bytes: Buffer | "end"): void {
    this.#answersLeft -= 1;
    if (bytes === "end" || this.#answersLeft === 0) this.#heardAll?.();
  }

  #pass(from: Side, bytes: Buffer | "end"): void {
    const to = from === "client" ? this.server : this.client;
    if (to.destroyed) return;
    if (bytes === "end") to.end();
    else to.write(bytes);
  }

  #fail(side: Side): void {
    if (this.#is === "waits") return void this.#kept.push({ from: side, bytes: "end" });
    (side === "client" ? this.server : this.client).destroy();
  }
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((closed) => void (socket.closed ? closed() : socket.once("close", () => closed())));
}
