/** What a job came after, with its results, page by page. */
import { at } from "../at.ts";
import { nestingMax } from "../defaults.ts";
import type { After, Engine, JobRow, Query } from "../engine.ts";
import type { Runtime } from "../runtime.ts";
import type { Predecessor } from "../task.ts";
import type { Run } from "./run.ts";

export interface BeforeParts {
  readonly engine: Engine;
  readonly runtime: Runtime;
}

const pageSize = 100;

/** Its own predecessors; where it has none, those of the batch or chain that it is in. */
export async function* before({ claimed }: Run, parts: BeforeParts): AsyncGenerator<Predecessor, void> {
  if (claimed.isAfter === true) {
    yield* pages(parts, { before: claimed.id });
    return;
  }
  for (const { id } of await afterOfJoin(claimed.join, parts)) {
    const [row] = (await parts.engine.find({ of: "jobs", ids: [id] }, at(parts.runtime))).rows;
    if (row !== undefined) yield predecessorOf(row);
    else yield* pages(parts, { join: id });
  }
}

async function* pages({ engine, runtime }: BeforeParts, where: Extract<Query, { readonly where: unknown }>["where"]): AsyncGenerator<Predecessor, void> {
  let after: string | undefined;
  do {
    const page: { readonly rows: readonly JobRow[]; readonly next?: string } = await engine.find(
      { of: "jobs", where, limit: pageSize, ...(after !== undefined && { after }) },
      at(runtime),
    );
    yield* page.rows.map(predecessorOf);
    after = page.next;
  } while (after !== undefined);
}

/** Of the innermost join around the job that comes after anything. */
async function afterOfJoin(join: string | undefined, { engine, runtime }: BeforeParts): Promise<readonly After[]> {
  let id = join;
  for (let depth = 0; id !== undefined && depth <= nestingMax; depth++) {
    const [row] = (await engine.find({ of: "joins", ids: [id] }, at(runtime))).rows;
    if (row?.after !== undefined && row.after.length > 0) return row.after;
    id = row?.join;
  }
  return [];
}

function predecessorOf({ id, task, state, result, reason }: JobRow): Predecessor {
  return { id, task, state, result: result === undefined ? undefined : (JSON.parse(result) as unknown), reason };
}
