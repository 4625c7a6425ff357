/** A primary and its replica, both real, behind one address that is led from one to the other. The replica receives through a network of its own that can be frozen. */
import { Proxy } from "../postgres/proxy.ts";
import { PrivateServer } from "./privateServer.ts";
import type { Settings } from "./privateServer.ts";

export class Pair implements AsyncDisposable {
  readonly primary: PrivateServer;
  readonly replica: PrivateServer;
  /** What clients connect to. Leads to the primary first. */
  readonly address: Proxy;
  /** Between the two. */
  readonly wire: Proxy;

  private constructor(primary: PrivateServer, replica: PrivateServer, address: Proxy, wire: Proxy) {
    this.primary = primary;
    this.replica = replica;
    this.address = address;
    this.wire = wire;
  }

  static async start(settings: Settings = {}): Promise<Pair> {
    const primary = await PrivateServer.start({ settings });
    const wire = await Proxy.before(primary.url);
    return new Pair(primary, await primary.replica(wire.url), await Proxy.before(primary.url), wire);
  }

  /** From now on the replica hears nothing, and nobody is told: a network that drops everything. */
  separate(): void {
    this.wire.freeze();
  }

  /** The replica has all that the primary has written until now. */
  async caughtUp(): Promise<void> {
    await this.replica.caughtUp(this.primary);
  }

  /** Kills the primary, promotes the replica and leads clients there. */
  async failOver(): Promise<void> {
    await this.primary.kill();
    await this.replica.ask("replicaof", "no", "one");
    this.leadTo(this.replica);
  }

  /** All clients, also those that are connected. */
  leadTo(server: PrivateServer): void {
    this.address.leadTo(server.url);
    this.address.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.address[Symbol.asyncDispose]();
    await this.wire[Symbol.asyncDispose]();
    await this.replica.stop();
    await this.primary.stop();
  }
}
