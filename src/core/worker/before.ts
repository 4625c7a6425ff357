/** What a job came after, with its results, page by page. */
import { nestingMax } from "../defaults.ts";
import type { After, JobFilter, JobRow, Page, Query } from "../engine.ts";
import type { Predecessor } from "../task.ts";
import type { Run } from "./run.ts";

/** How a run looks into the store: itself, or through the parent of its child process. */
export type Find = <Q extends Query>(query: Q) => Promise<Page<Q>>;

const pageSize = 100;

/** Its own predecessors; where it has none, those of the batch or chain that it is in. */
export async function* before({ claimed }: Run, find: Find): AsyncGenerator<Predecessor, void> {
  if (claimed.isAfter === true) {
    yield* pages(find, { before: claimed.id });
    return;
  }
  for (const { id } of await afterOfJoin(claimed.join, find)) {
    const [row] = (await find({ of: "jobs", ids: [id] })).rows;
    if (row !== undefined) yield predecessorOf(row);
    else yield* pages(find, { join: id });
  }
}

async function* pages(find: Find, where: JobFilter): AsyncGenerator<Predecessor, void> {
  let after: string | undefined;
  do {
    const page: { readonly rows: readonly JobRow[]; readonly next?: string } = await find({
      of: "jobs",
      where,
      limit: pageSize,
      ...(after !== undefined && { after }),
    });
    yield* page.rows.map(predecessorOf);
    after = page.next;
  } while (after !== undefined);
}

/** Of the innermost join around the job that comes after anything. */
async function afterOfJoin(join: string | undefined, find: Find): Promise<readonly After[]> {
  let id = join;
  for (let depth = 0; id !== undefined && depth <= nestingMax; depth++) {
    const [row] = (await find({ of: "joins", ids: [id] })).rows;
    if (row?.after !== undefined && row.after.length > 0) return row.after;
    id = row?.join;
  }
  return [];
}

function predecessorOf({ id, task, state, result, reason }: JobRow): Predecessor {
  return { id, task, state, result: result === undefined ? undefined : (JSON.parse(result) as unknown), reason };
}
