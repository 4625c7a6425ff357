/**
 * What this process holds outside a worker: locks, places in their lines, jobs that are tried at once. One process id and one heartbeat for all of it,
 * begun when it is first needed and ended when nothing has been held for a lease.
 */
import { at } from "../at.ts";
import { beatEveryMs, leaseMs } from "../defaults.ts";
import type { Engine } from "../engine.ts";
import type { Meter } from "../metrics/meter.ts";
import type { Instant, Logger, Ms, Runtime, Timer } from "../runtime.ts";
import { Contact } from "../worker/contact.ts";
import { Pulse, type Loss } from "../worker/pulse.ts";

export interface HolderParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly meter: Meter;
}

/** One who holds something here. */
export interface Tenant {
  /** A beat was answered. */
  heard?(): void;
  notesChanged?(): void;
  /** Cancel was asked for these running jobs. */
  cancelled?(ids: readonly string[]): void;
  /** All that this process held is void; from now on it is another process. */
  lost(why: Loss): void;
  /** Nothing was heard of the store for almost a lease: it may have taken all back. */
  silent?(): void;
}

/** A lease ends so long after it was renewed; whoever heard of the renewal heard it later than that. */
const silenceMaxMs = leaseMs - beatEveryMs;

export class Holder {
  readonly contact: Contact;
  readonly settings: { readonly leaseMs: Ms; readonly beatEveryMs: Ms } = { leaseMs, beatEveryMs };
  /** The largest fence this process was ever given. */
  lastFence = 0;
  readonly #parts: HolderParts;
  readonly #tenants: Set<Tenant> = new Set();
  #pulse: Pulse | undefined;
  #ending: Promise<void> | undefined;
  #idle: Timer | undefined;
  #watch: Timer | undefined;
  /** By the monotonic clock. */
  #renewedAt = 0;

  constructor(parts: HolderParts) {
    this.#parts = parts;
    this.contact = new Contact(parts, beatEveryMs);
  }

  /** The process id to hold under. Only while there is a tenant. */
  get process(): string {
    return this.#pulse?.process ?? "";
  }

  /** The store's time of the latest beat that it answered; 0: none goes, or none yet. */
  get heardAt(): Instant {
    return this.#pulse?.heardAt ?? 0;
  }

  /** From now on the heartbeat goes, until the answer is called and a lease has passed. */
  enter(tenant: Tenant): () => void {
    this.#tenants.add(tenant);
    this.#idle?.cancel();
    this.#idle = undefined;
    this.#begin();
    return () => this.#leave(tenant);
  }

  /** The store gave `process` something, with an answer of that time. */
  took(process: string, fence: number, now: Instant): void {
    this.lastFence = Math.max(this.lastFence, fence);
    if (process === this.process) this.#pulse?.holds(now);
  }

  /** A call without an answer may have given it something. */
  mayHold(process: string): void {
    if (process === this.process) this.#pulse?.mayHold();
  }

  /** The store said that it had given `process` up. */
  lose(process: string): void {
    this.#pulse?.lose(process);
  }

  async close(): Promise<void> {
    this.#idle?.cancel();
    this.#end();
    await this.#ending;
  }

  #begin(): void {
    if (this.#pulse !== undefined) return;
    const { engine, runtime, log } = this.#parts;
    this.#pulse = new Pulse({ engine, runtime, log, settings: this.settings }, this.contact, {
      heard: () => this.#heard(),
      cancelled: (ids) => this.#each((tenant) => tenant.cancelled?.(ids)),
      lost: (why) => this.#lost(why),
      notesChanged: () => this.#each((tenant) => tenant.notesChanged?.()),
    });
    this.#pulse.start();
    this.#renewed();
  }

  #leave(tenant: Tenant): void {
    if (!this.#tenants.delete(tenant) || this.#tenants.size > 0 || this.#pulse === undefined) return;
    this.#idle = this.#parts.runtime.after(leaseMs, () => this.#end(), { background: true });
  }

  #end(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    const pulse = this.#pulse;
    this.#pulse = undefined;
    if (pulse !== undefined) this.#ending = Promise.all([this.#ending, pulse.stop()]).then(() => undefined);
  }

  #heard(): void {
    this.#renewed();
    this.#each((tenant) => tenant.heard?.());
  }

  #renewed(): void {
    this.#renewedAt = this.#parts.runtime.monotonic();
    if (this.#watch === undefined) this.#watchLater(silenceMaxMs);
  }

  #watchLater(ms: number): void {
    this.#watch = this.#parts.runtime.after(ms, () => void this.#look(), { background: true });
  }

  /** The timer is not moved with every beat: it looks how long ago the last one was. */
  async #look(): Promise<void> {
    const restMs = this.#renewedAt + silenceMaxMs - this.#parts.runtime.monotonic();
    if (restMs > 0) return this.#watchLater(restMs);
    // The main loop may have been blocked while the thread's beats went on: so the store itself is asked, once.
    const pulse = this.#pulse;
    const isKept = await this.#isKept();
    if (pulse === undefined || pulse !== this.#pulse) return undefined;
    this.#watch = undefined;
    if (!isKept) this.#each((tenant) => tenant.silent?.());
    return this.#renewed();
  }

  #isKept(): Promise<boolean> {
    const { engine, runtime } = this.#parts;
    const { process } = this;
    return new Promise((resolve) => {
      const limit = runtime.after(beatEveryMs, () => resolve(false), { background: true });
      const answer = (isKept: boolean): void => {
        limit.cancel();
        resolve(isKept);
      };
      (async () => engine.beat(process, leaseMs, at(runtime)))().then(
        (heard) => answer(!heard.isLost && heard.isPartial !== true),
        () => answer(false),
      );
    });
  }

  #lost(why: Loss): void {
    this.#renewed();
    this.#each((tenant) => tenant.lost(why));
  }

  #each(tell: (tenant: Tenant) => void): void {
    for (const tenant of [...this.#tenants]) tell(tenant);
  }
}
