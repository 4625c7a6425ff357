/** `errand batches`: list, show, cancel. */
import { usage, type Arguments } from "./arguments.ts";
import { phraseFor } from "./answers.ts";
import { listBatches } from "./listBatches.ts";
import { remark, say } from "./output.ts";
import { plain, plainJson } from "./plain.ts";
import { showBatch } from "./showBatch.ts";
import type { OpenStore } from "./store.ts";
import { runVerb, type VerbCommand } from "./verbs.ts";

const help = `errand batches [list]      batches and chains, newest first
errand batches show <id>   one of them: how far it is, and what is in it
errand batches cancel <id> nothing of it starts any more, what runs is asked to
                           stop

  --reason TEXT   cancel: why; kept with its jobs
  --limit N       list, show: how many (default 50, at most 1000)
  --after CURSOR  list, show: the next page, as the page before names it
  --store URL     the store, as in sqlite:shop.db (or ERRAND_STORE)
  --json          for scripts

Exit codes: 0 done, 1 failed, 2 a mistake on the command line,
3 nothing matched, or it had ended.`;

const command: VerbCommand = {
  name: "batches",
  help,
  options: { reason: { type: "string" }, limit: { type: "string" }, after: { type: "string" } },
  stranger: (word) => `; for one batch: errand batches show ${word}`,
  verbs: {
    list: { takes: ["limit", "after"], wordsMax: 0, run: listBatches },
    show: { takes: ["limit", "after"], wordsMax: 1, run: (store, given, [id]) => showBatch(store, given, id) },
    cancel: { takes: ["reason"], wordsMax: 1, run: (store, given, [id]) => cancelBatch(store, given, id) },
  },
};

export function run(args: readonly string[]): Promise<number> {
  return runVerb(command, args);
}

async function cancelBatch({ work }: OpenStore, given: Arguments, id: string | undefined): Promise<number> {
  if (id === undefined) throw usage("batches cancel takes an id, as errand batches list tells it");
  const isBatch = (await work.batch(id, { limit: 1 })) !== undefined;
  const is = isBatch ? await work.cancel(id, given.text("reason") ?? "cancelled from the command line") : "unknown";
  const hasChanged = is === "cancelled" || is === "cancelling";
  if (given.has("json")) say(plainJson({ id, is }));
  else (hasChanged ? say : remark)(`${plain(id)}  ${isBatch ? phraseFor(is) : "no such batch, or its retention has passed"}`);
  return hasChanged ? 0 : 3;
}
