/** What a call stores: its works in the order of storing, and where the answer to each of its errands stands. */
import { rememberMs } from "../defaults.ts";
import type { NewJob, NewJoin, NewWork } from "../engine.ts";
import { contentOf } from "../keys.ts";
import { isJoin, type JoinNode, type Node } from "./nodes.ts";

export interface Plan {
  readonly works: readonly NewWork[];
  /** For each errand of the call the index of its work; absent: errand n is work n. */
  readonly answers?: readonly number[];
  /** Where batches are among them: which errand of the call each work belongs to. */
  readonly units?: readonly number[];
}

/** `jobs`: of the nodes that are jobs, in their order. */
export function planOf(written: readonly Node[], inOrder: readonly Node[], roots: readonly string[], jobs: readonly NewJob[]): Plan {
  const made = new Map(inOrder.filter((node) => !isJoin(node)).map((node, index) => [node, jobs[index]]));
  const contents = contentsOf(written, made);
  const works = inOrder.map((node) => (isJoin(node) ? joinOf(node, contents.get(node) ?? "") : jobOf(node, made.get(node))));
  const at = new Map<string, number>();
  works.forEach(({ id }, index) => at.has(id) || at.set(id, index));
  return { works, answers: roots.map((id) => at.get(id) ?? 0), units: inOrder.map(({ unit }) => unit) };
}

/** The works of one atom, whose answers are those of its errands. */
export function answersOf<T>({ answers }: Plan, stored: readonly T[]): readonly T[] {
  return answers === undefined ? stored : answers.flatMap((index) => stored[index] ?? []);
}

function jobOf({ join, after }: Node, job: NewJob | undefined): NewJob {
  if (job === undefined) throw new TypeError("a node without its job");
  return { ...job, ...(join !== undefined && { join }), ...(after.length > 0 && { after }) };
}

function joinOf({ id, name, join, after, owner, parts }: JoinNode, content: string): NewJoin {
  const isRemembered = owner !== undefined || parts.options.id !== undefined;
  return {
    kind: "join",
    id,
    content,
    rememberMs: isRemembered ? rememberMs : 0,
    name,
    isSealed: true,
    ...(join !== undefined && { join }),
    ...(after.length > 0 && { after }),
  };
}

/** Of each batch with an id of the caller's: a hash of all that belongs to it. */
function contentsOf(written: readonly Node[], jobs: ReadonlyMap<Node, NewJob | undefined>): Map<Node, string> {
  const contents = new Map<Node, string>();
  const parts = new Map<JoinNode, string[]>();
  // What belongs to a batch stands behind it.
  for (const node of written.toReversed()) {
    const isNamed = isJoin(node) && node.parts.options.id !== undefined;
    if (isNamed) contents.set(node, contentOf(node.name, (parts.get(node) ?? []).join("\n")));
    else if (isJoin(node) && node.owner !== undefined) contents.set(node, contentOf(node.name, ""));
    const { owner } = node;
    if (owner === undefined) continue;
    const own = `${node.id} ${contents.get(node) ?? jobs.get(node)?.content} ${node.after.map(({ id, when }) => `${when} ${id}`).join()}`;
    const list = parts.get(owner);
    if (list === undefined) parts.set(owner, [own]);
    else list.push(own);
  }
  return contents;
}
