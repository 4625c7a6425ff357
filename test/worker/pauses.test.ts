/** What is paused is read page by page, to its end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../src/core/engine.ts";
import { pausedQueue, pausedTask } from "../../src/core/notes.ts";
import { readPauses } from "../../src/core/worker/pauses.ts";
import type { Run } from "../../src/core/worker/run.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const run = (queue: string, task: string): Run => ({ claimed: { queue, task } }) as unknown as Run;

/** Answers one note a page. */
function paged(keys: readonly string[]): { readonly engine: Engine; readonly asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  const find = ({ after }: { readonly after?: string }): unknown => {
    asked.push(after);
    const place = after === undefined ? 0 : keys.indexOf(after) + 1;
    const [key] = keys.slice(place, place + 1);
    return Promise.resolve({ rows: key === undefined ? [] : [{ key }], ...(place + 1 < keys.length && { next: key }), now: 0 });
  };
  return { engine: { find } as unknown as Engine, asked };
}

test("runs of paused queues and tasks may not start, on whichever page their pauses stand", async () => {
  const { engine, asked } = paged([pausedQueue("mail"), pausedQueue("sms"), pausedTask("prune")]);
  const isPaused = await readPauses({ engine, runtime: new VirtualRuntime() });
  assert.deepEqual(asked, [undefined, pausedQueue("mail"), pausedQueue("sms")]);
  assert.deepEqual(
    [run("mail", "send"), run("sms", "send"), run("default", "prune"), run("default", "send")].map((one) => isPaused(one)),
    [true, true, true, false],
  );
});

test("the look is bounded, however many are paused", async () => {
  const { engine, asked } = paged(Array.from({ length: 50 }, (_, n) => pausedQueue(`q${n}`)));
  await readPauses({ engine, runtime: new VirtualRuntime() });
  assert.equal(asked.length, 20);
});
