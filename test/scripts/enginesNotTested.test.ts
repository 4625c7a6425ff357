import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { enginesNotTested } from "../../scripts/enginesNotTested.ts";
import type { TestRecord } from "../../scripts/testReporter.ts";

const memory: TestRecord = { file: "test/memory/laws.test.ts", name: "a law", kind: "pass" };
const sqlite: TestRecord = { file: "test/conformance/engines.test.ts", name: "sqlite › a law", kind: "pass" };
const redis: TestRecord = { file: "test/redis/laws.test.ts", name: "a law", kind: "pass" };

const runs: Readonly<Record<string, { records: readonly TestRecord[]; isPartial?: boolean; missed: readonly string[] }>> = {
  "an engine counts as tested by the folder of a test or by its name": { records: [memory, sqlite, redis], missed: [] },
  "an engine that no passing test names is missed": { records: [memory, redis, { ...sqlite, kind: "fail" }], missed: ["sqlite: no test that names it passed"] },
  "a run of some of the files misses no engine silently": { records: [memory], isPartial: true, missed: [] },
  "an engine that a test skipped is missed, with the reason": {
    records: [memory, sqlite, { file: "test/redis/laws.test.ts", name: "a law", kind: "skip", reason: "engine not tested: redis, no server answers" }],
    missed: ["redis: no server answers"],
  },
  "another skip misses no engine": { records: [memory, sqlite, redis, { ...memory, kind: "skip", reason: "Linux only" }], missed: [] },
};

for (const [claim, { records, isPartial = false, missed }] of Object.entries(runs)) {
  test(claim, () => {
    const folder = mkdtempSync(path.join(tmpdir(), "errand-report-"));
    try {
      const reportFile = path.join(folder, "report.jsonl");
      writeFileSync(reportFile, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
      assert.deepEqual(
        enginesNotTested(reportFile, isPartial)
          .filter(({ engine }) => engine !== "postgres")
          .map(({ engine, reason }) => `${engine}: ${reason}`),
        missed,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
