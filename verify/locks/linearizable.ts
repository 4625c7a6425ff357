/**
 * Whether a history of overlapping operations has an order in which each takes effect at one instant between its call and its answer, and which the
 * sequential specification allows. The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993), with the memory of seen configurations
 * that Lowe adds to it ("Testing for Linearizability", 2017).
 */
export interface Operation<Op> {
  readonly op: Op;
  readonly calledAt: number;
  /** Infinity: it was never answered, and may have taken effect at any time since, or never. */
  readonly answeredAt: number;
}

export interface Specification<Op, State> {
  readonly start: State;
  /** The state after `op`, with the answer that it was given; undefined: that answer is not possible here. */
  apply(state: State, op: Op): State | undefined;
  /** Equal for equal states. */
  key(state: State): string;
}

/** Undefined: it is linearizable. Else the operations up to the first answer that no order explains. */
export function unexplained<Op, State>(history: readonly Operation<Op>[], specification: Specification<Op, State>): readonly Op[] | undefined {
  const search = new Search(history, specification);
  return search.succeeds() ? undefined : search.stuckWith();
}

/** One of the calls made so far in the order that is tried. */
interface Tried<State> {
  readonly index: number;
  readonly before: State;
}

class Search<Op, State> {
  readonly #history: readonly Operation<Op>[];
  readonly #specification: Specification<Op, State>;
  readonly #required: number;
  readonly #seen: Set<string> = new Set();
  readonly #order: Tried<State>[] = [];
  readonly #taken: boolean[];
  #takenRequired = 0;
  #furthest = 0;

  constructor(history: readonly Operation<Op>[], specification: Specification<Op, State>) {
    this.#history = history.toSorted((a, b) => a.calledAt - b.calledAt);
    this.#specification = specification;
    this.#required = history.filter(({ answeredAt }) => answeredAt < Number.POSITIVE_INFINITY).length;
    this.#taken = this.#history.map(() => false);
  }

  succeeds(): boolean {
    let state = this.#specification.start;
    let from = 0;
    while (this.#takenRequired < this.#required) {
      const next = this.#nextFrom(from, state);
      if (next !== undefined) {
        this.#take(next.index, state);
        state = next.after;
        from = 0;
        continue;
      }
      const last = this.#order.pop();
      if (last === undefined) return false;
      this.#untake(last.index);
      state = last.before;
      from = last.index + 1;
    }
    return true;
  }

  stuckWith(): readonly Op[] {
    return this.#history.filter(({ calledAt }) => calledAt <= this.#furthest).map(({ op }) => op);
  }

  /** The first operation at or after `from` that may take effect now and leads to a configuration that was not tried. */
  #nextFrom(from: number, state: State): { readonly index: number; readonly after: State } | undefined {
    const until = this.#firstOpenAnswer();
    this.#furthest = Math.max(this.#furthest, until === Number.POSITIVE_INFINITY ? 0 : until);
    for (let index = from; index < this.#history.length; index++) {
      const operation = this.#history[index];
      if (operation === undefined || operation.calledAt > until) return undefined;
      if (this.#taken[index]) continue;
      const after = this.#specification.apply(state, operation.op);
      if (after !== undefined && this.#isNew(index, after)) return { index, after };
    }
    return undefined;
  }

  /** What was answered before another was called took effect before it. */
  #firstOpenAnswer(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const [index, { calledAt, answeredAt }] of this.#history.entries()) {
      if (calledAt > first) break;
      if (!this.#taken[index]) first = Math.min(first, answeredAt);
    }
    return first;
  }

  #isNew(index: number, after: State): boolean {
    const taken = this.#taken.map((isTaken, each) => (isTaken || each === index ? "1" : "0")).join("");
    const key = `${taken.replace(/0+$/, "")} ${this.#specification.key(after)}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #take(index: number, before: State): void {
    this.#order.push({ index, before });
    this.#taken[index] = true;
    if (this.#isRequired(index)) this.#takenRequired++;
  }

  #untake(index: number): void {
    this.#taken[index] = false;
    if (this.#isRequired(index)) this.#takenRequired--;
  }

  #isRequired(index: number): boolean {
    return (this.#history[index]?.answeredAt ?? Number.POSITIVE_INFINITY) < Number.POSITIVE_INFINITY;
  }
}
