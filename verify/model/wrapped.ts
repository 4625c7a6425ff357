/** An engine that hands every call on to another: the ground on which bugs are planted. */
import type {
  At,
  Atom,
  Change,
  Changed,
  Claim,
  Claimed,
  CountRow,
  Enqueued,
  Engine,
  Grant,
  Guarantees,
  Heard,
  Host,
  JobRow,
  LockRequest,
  Maybe,
  Note,
  Outcome,
  Page,
  Query,
  Selection,
  Settled,
  Tidied,
  Tidy,
  Unlisten,
  Waiting,
} from "../../src/core/engine.ts";
import type { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";

export class Wrapped implements Engine {
  readonly name: string;
  protected readonly inner: Engine;

  constructor(inner: Engine) {
    this.inner = inner;
    this.name = inner.name;
  }

  open(host: Host): void | Promise<void> {
    return this.inner.open(host);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
  guarantees(): Guarantees {
    return this.inner.guarantees();
  }
  enqueue(atoms: readonly Atom[], at: At<unknown>): Maybe<(Enqueued[] | ErrandError)[]> {
    return this.inner.enqueue(atoms, at);
  }
  claim(wanted: Claim, at: At): Maybe<Claimed> {
    return this.inner.claim(wanted, at);
  }
  settle(outcomes: readonly Outcome[], at: At<unknown>): Maybe<Settled[]> {
    return this.inner.settle(outcomes, at);
  }
  beat(process: string, leaseMs: Ms, at: At): Maybe<Heard> {
    return this.inner.beat(process, leaseMs, at);
  }
  tidy(pass: Tidy, at: At): Maybe<Tidied> {
    return this.inner.tidy(pass, at);
  }
  change(which: Selection, change: Change, limit: number, at: At<unknown>): Maybe<Changed> {
    return this.inner.change(which, change, limit, at);
  }
  find<Q extends Query>(query: Q, at: At): Maybe<Page<Q>> {
    return this.inner.find(query, at);
  }
  count(at: At): Maybe<CountRow[]> {
    return this.inner.count(at);
  }
  lock(request: LockRequest, at: At): Maybe<Grant | Waiting> {
    return this.inner.lock(request, at);
  }
  unlock(grant: { readonly name: string; readonly ticket: string }, at: At): Maybe<boolean> {
    return this.inner.unlock(grant, at);
  }
  readNote(key: string, at: At): Maybe<Note | undefined> {
    return this.inner.readNote(key, at);
  }
  listen(wake: () => void): Maybe<Unlisten> {
    return this.inner.listen(wake);
  }
  joins(tx: unknown): "sync" | "async" {
    return this.inner.joins(tx);
  }

  protected async row(id: string, at: At<unknown>): Promise<JobRow | undefined> {
    const { rows } = await this.inner.find({ of: "jobs", ids: [id] }, clockOf(at));
    return rows[0];
  }
}

/** Only the clock of a call: not the transaction. */
export function clockOf({ now }: At<unknown>): At {
  return now === undefined ? {} : { now };
}
