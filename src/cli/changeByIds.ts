/** Changes the jobs whose ids were given, or says what would change. */
import type { Change, ChangedJob } from "../index.ts";
import type { Arguments } from "./arguments.ts";
import { isChange, phraseFor } from "./answers.ts";
import { statesChanged } from "./jobFilter.ts";
import { remark, say } from "./output.ts";
import { plain, plainJson } from "./plain.ts";
import type { OpenStore } from "./store.ts";

/** Ids of one call; one commit. */
const idsAtOnce = 500;

type Answer = { readonly id: string; readonly is: string };

/** 0: at least one was changed; 3: none was. */
export async function changeByIds(store: OpenStore, given: Arguments, change: Change, ids: readonly string[]): Promise<number> {
  if (given.has("dry-run")) return foretell(store, given, change, ids);
  const jobs: ChangedJob[] = [];
  for (let at = 0; at < ids.length; at += idsAtOnce) jobs.push(...(await store.work.change({ ids: ids.slice(at, at + idsAtOnce) }, change)).jobs);
  const changed = jobs.filter(({ is }) => isChange(is)).length;
  if (given.has("json")) say(plainJson({ change: change.do, isDryRun: false, changed, jobs }));
  else for (const { id, is } of jobs) (isChange(is) ? say : remark)(`${plain(id)}  ${phraseFor(is)}`);
  return changed > 0 ? 0 : 3;
}

async function foretell({ work }: OpenStore, given: Arguments, change: Change, ids: readonly string[]): Promise<number> {
  const states: readonly string[] = change.do === "cancel" ? statesChanged.cancel : statesChanged.retry;
  const jobs: Answer[] = [];
  for (const id of ids) jobs.push({ id, is: (await work.find(id))?.state ?? "unknown" });
  const changed = jobs.filter(({ is }) => states.includes(is)).length;
  if (given.has("json")) say(plainJson({ change: change.do, isDryRun: true, changed, jobs }));
  else
    for (const { id, is } of jobs)
      (states.includes(is) ? say : remark)(
        `${plain(id)}  ${states.includes(is) ? `${is}: would ${change.do}; nothing was changed` : is === "unknown" ? phraseFor(is) : `${is}: would stay as it is`}`,
      );
  return changed > 0 ? 0 : 3;
}
