import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { batch } from "../../src/core/compose/batch.ts";
import type { Engine } from "../../src/core/engine.ts";
import { task } from "../../src/core/task.ts";
import { memory } from "../../src/memory/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { testBroker } from "../../src/testing/index.ts";

const members = 100_000;

const engines: Readonly<Record<string, (folder: string) => Engine>> = {
  memory: () => memory(),
  sqlite: (folder) => sqlite(path.join(folder, "store.db")),
};

for (const [name, open] of Object.entries(engines)) {
  test(`a batch of ${members} members ends in one callback on ${name}, and another is cancelled as a whole`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "errand-batch-"));
    try {
      let done = 0;
      let summaries = 0;
      const part = task<{ n: number }>("part", () => void done++);
      const summary = task("summary", () => void summaries++);
      const work = testBroker.with({ engine: open(folder) }, { part, summary });
      const parts = Array.from({ length: members }, (_, n) => part.with({ n }));
      const { id } = await work.enqueue(batch(parts, { whenAllSucceed: summary.with({}) }));
      await work.drain();
      assert.deepEqual([done, summaries], [members, 1]);
      assert.deepEqual((await work.batch(id))?.counts, { members, live: 0, succeeded: members, failed: 0 });

      await work.pause({ task: "part" });
      const other = await work.enqueue(batch(parts, { whenAllSucceed: summary.with({}) }));
      assert.equal(await work.cancel(other.id), "cancelled");
      assert.deepEqual((await work.batch(other.id))?.counts, { members, live: 0, succeeded: 0, failed: members });
      assert.deepEqual([done, summaries], [members, 1]);
      await work.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
