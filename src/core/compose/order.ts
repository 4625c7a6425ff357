/** The order in which a call is stored: whatever something comes after, or belongs to, stands before it. */
import { ErrandError } from "../errors.ts";
import { isJoin, type Node } from "./nodes.ts";

/**
 * Keeps the written order where it can. Throws `graph-cycle`.
 *
 * A depth-first walk over starts and ends: a job starts after what it comes after has ended and its join is open; a join ends after all its members have.
 * What holds for these holds for storing, and a join that something of its own has to wait for is seen as well.
 */
export function ordered(nodes: readonly Node[]): readonly Node[] {
  return isOrdered(nodes) ? nodes : new Walk(nodes).all();
}

/** The common case, without a walk: nothing but batches and chains as they were written. */
function isOrdered(nodes: readonly Node[]): boolean {
  return nodes.every(({ parts }) => parts.options.after === undefined);
}

interface Step {
  readonly vertex: number;
  readonly needs: readonly number[];
  next: number;
}

/** Vertices: the start of node n is n, the end of a join n is n + nodes.length; the end of a job is its start. */
class Walk {
  readonly #nodes: readonly Node[];
  readonly #at: Map<string, number> = new Map();
  readonly #members: Map<string, number[]> = new Map();
  readonly #done: Uint8Array;
  readonly #order: Node[] = [];

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#done = new Uint8Array(2 * nodes.length);
    nodes.forEach(({ id, join }, index) => {
      if (!this.#at.has(id)) this.#at.set(id, index);
      if (join === undefined) return;
      const members = this.#members.get(join);
      if (members === undefined) this.#members.set(join, [index]);
      else members.push(index);
    });
  }

  all(): readonly Node[] {
    for (let vertex = 0; vertex < 2 * this.#nodes.length; vertex++) this.#visit(vertex);
    return this.#order;
  }

  #visit(first: number): void {
    if (this.#done[first] === done) return;
    const steps = [this.#step(first)];
    for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
      const need = step.needs[step.next++];
      if (need === undefined) {
        this.#end(step.vertex);
        steps.pop();
      } else if (this.#done[need] === underWay) throw this.#cycle([...steps.map(({ vertex }) => vertex), need]);
      else if (this.#done[need] !== done) steps.push(this.#step(need));
    }
  }

  #step(vertex: number): Step {
    this.#done[vertex] = underWay;
    return { vertex, needs: this.#needs(vertex), next: 0 };
  }

  #end(vertex: number): void {
    this.#done[vertex] = done;
    const node = this.#nodes[vertex];
    if (node !== undefined) this.#order.push(node);
  }

  #needs(vertex: number): number[] {
    const count = this.#nodes.length;
    if (vertex >= count) {
      const members = this.#members.get(this.#nodes[vertex - count]?.id ?? "") ?? [];
      return [vertex - count, ...members.map((member) => this.#endOf(member))];
    }
    const node = this.#nodes[vertex];
    if (node === undefined) return [];
    const needs = node.after.flatMap(({ id }) => this.#at.get(id) ?? []).map((index) => this.#endOf(index));
    const join = node.join === undefined ? undefined : this.#at.get(node.join);
    return join === undefined ? needs : [join, ...needs];
  }

  #endOf(index: number): number {
    const node = this.#nodes[index];
    return node !== undefined && isJoin(node) ? index + this.#nodes.length : index;
  }

  #cycle(walked: readonly number[]): ErrandError {
    const cycle = walked.slice(walked.indexOf(walked.at(-1) ?? 0)).map((vertex) => this.#nodes[vertex % this.#nodes.length]);
    const named = cycle.filter((node, index) => node !== cycle[index - 1]);
    const words = (named.length === 1 ? [...named, ...named] : named).slice(0, 10).map((node) => `${node?.name} ${node?.id}`);
    return new ErrandError(
      "graph-cycle",
      `none of these could ever start: ${words.join(" waits for ")}${named.length > 10 ? " …" : ""}; take one of the \`after\` out`,
      {
        details: { ids: named.slice(0, 100).map((node) => node?.id) },
      },
    );
  }
}

const underWay = 1;
const done = 2;
