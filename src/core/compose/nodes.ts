/** From errands to what they store: every job and join of a call, with its id and what it comes after, in the order in which they were written. */
import { afterMax, enqueueCallMax, nestingMax } from "../defaults.ts";
import type { After } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { derivedId } from "../keys.ts";
import { madeByTaskWith, type Errand, type JobParts } from "../task.ts";
import { callbackRoles, type GroupParts } from "./group.ts";

export type Node = JobNode | JoinNode;
export interface JobNode extends Place {
  readonly parts: JobParts;
}
export interface JoinNode extends Place {
  readonly parts: GroupParts;
}
interface Place {
  readonly id: string;
  readonly name: string;
  /** Which errand of the call it belongs to. */
  readonly unit: number;
  /** The join it is a member of. */
  readonly join: string | undefined;
  /** The batch with an id of the caller's that it belongs to: as long as that is remembered, so is this. */
  readonly owner: JoinNode | undefined;
  readonly after: After[];
}
export interface Drawn {
  readonly nodes: readonly Node[];
  /** The id of each errand of the call. */
  readonly roots: readonly string[];
}

export function isJoin(node: Node): node is JoinNode {
  return node.parts.task === undefined;
}

/** True: more than a job on its own. */
export function isComposed(errand: Errand): boolean {
  const parts = errand[madeByTaskWith];
  return parts.task === undefined || parts.options.after !== undefined;
}

/** `idOf`: the id of an errand that has none of its own. Throws `after-unknown`, `enqueue-too-many`, `option-invalid`. */
export function nodesOf(errands: readonly Errand[], idOf: (unit: number) => string): Drawn {
  const drawing = new Drawing();
  const roots = errands.map((errand, unit) => drawing.draw(errand, { id: () => idOf(unit), unit, join: undefined, owner: undefined, after: [], depth: 0 }));
  drawing.link();
  return { nodes: drawing.nodes, roots };
}

interface Spot extends Omit<Place, "id" | "name"> {
  readonly id: () => string;
  readonly depth: number;
}

/** Members, joins and callbacks: what 100,000 members of some depth come to. */
const nodesMax = 2 * enqueueCallMax;

class Drawing {
  readonly nodes: Node[] = [];
  /** An errand that was written more than once is several jobs. */
  readonly #idsOf: Map<Errand, string[]> = new Map();

  /** Answers the id it got. */
  draw(errand: Errand, spot: Spot): string {
    if (this.nodes.length >= nodesMax) throw tooMany();
    if (spot.depth > nestingMax)
      throw new ErrandError("option-invalid", `${errand.name} is nested deeper than ${nestingMax} batches and chains; enqueue it from a job instead`);
    const parts = errand[madeByTaskWith];
    const id = parts.options.id ?? spot.id();
    const known = this.#idsOf.get(errand);
    if (known === undefined) this.#idsOf.set(errand, [id]);
    else known.push(id);
    const { unit, join, after } = spot;
    const place = { id, name: errand.name, unit, join, after };
    if (parts.task === undefined) this.#drawGroup({ ...place, owner: spot.owner, parts }, spot);
    else this.nodes.push({ ...place, owner: spot.owner, parts });
    return id;
  }

  /** What errands name in `after` is looked up when all have been drawn: it may stand later in the call. */
  link(): void {
    for (const node of this.nodes) {
      const { after } = node.parts.options;
      if (after === undefined) continue;
      const ids = (Array.isArray(after) ? (after as readonly (Errand | string)[]) : [after as Errand | string]).flatMap((each) => this.#idsNamed(each, node));
      const known = new Set(node.after.map(({ id }) => id));
      for (const id of new Set(ids)) if (!known.has(id)) node.after.push({ id, when: "well" });
      if (node.after.length > afterMax)
        throw new ErrandError(
          "option-invalid",
          `${node.name} comes after ${node.after.length} errands, of ${afterMax} allowed; put them into a batch, and come after that`,
        );
    }
  }

  #drawGroup(node: JoinNode, { depth }: Spot): void {
    this.nodes.push(node);
    const { group, members, callbacks, options } = node.parts;
    const owner = options.id === undefined ? node.owner : node;
    const shared = { unit: node.unit, owner, depth: depth + 1 };
    let before: string | undefined;
    members.forEach((member, position) => {
      const after: After[] = group === "chain" && before !== undefined ? [{ id: before, when: "well" }] : [];
      before = this.draw(member, { ...shared, id: () => derivedId(node.id, String(position)), join: node.id, after });
    });
    for (const { role, errand } of callbacks)
      this.draw(errand, { ...shared, id: () => derivedId(node.id, role), join: node.join, after: [{ id: node.id, when: callbackRoles[role] }] });
  }

  #idsNamed(named: Errand | string, by: Node): readonly string[] {
    if (typeof named === "string") return [named];
    const ids = this.#idsOf.get(named);
    if (ids !== undefined) return ids;
    throw new ErrandError(
      "after-unknown",
      `${by.name} comes after the errand ${named.name}, which is not in the same call; enqueue both in one, as in batch([a, b]), or name the stored job by its id`,
      { details: { after: named.name } },
    );
  }
}

function tooMany(): ErrandError {
  return new ErrandError("enqueue-too-many", `one call stores more than ${nodesMax} jobs and batches; call enqueue several times`, {
    details: { most: nodesMax },
  });
}
