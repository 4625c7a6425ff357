/** A worker whose store turns out to have another past: what it held may be another's, or still be its own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Heard } from "../../src/core/engine.ts";
import { ErrandError, task, type Job } from "../../src/index.ts";
import { Stage } from "./stage.ts";

/** From now on beats tell of another era. */
function promote(stage: Stage, more: (heard: Heard) => Partial<Heard> = () => ({})): void {
  stage.afterwards = (verb, answer) => {
    if (verb === "beat") Object.assign(answer as Heard, { era: "another", ...more(answer as Heard) });
  };
}

describe("in another era", () => {
  it("runs are told, and what is still held goes back: it runs again at once, and nobody is suspect", async () => {
    const reasons: unknown[] = [];
    let starts = 0;
    const waiting = task("waiting", async ({ n }: { n: number }, job: Job) => {
      if (n > 0) starts++;
      if (starts !== 1) return n;
      return await new Promise<never>((_, reject) => {
        job.signal.addEventListener("abort", () => {
          reasons.push(job.signal.reason);
          reject(job.signal.reason as Error);
        });
      });
    });
    await using stage = new Stage({ waiting });
    await stage.start({ queues: { default: 1 } });
    // Short ones first, so that others are held ahead then.
    await stage.enqueue(...Array.from({ length: 20 }, () => waiting.with({ n: 0 })));
    await stage.advance(100);
    const ids = await stage.enqueue(waiting.with({ n: 1 }), waiting.with({ n: 2 }), waiting.with({ n: 3 }));
    await stage.advance(500);
    assert.deepEqual(await Promise.all(ids.map(async (id) => (await stage.job(id)).state)), ["running", "running", "running"]);
    promote(stage);
    await stage.advance(3_000);
    assert.deepEqual(
      reasons.map((reason) => ErrandError.is(reason, "lease-lost")),
      [true],
    );
    for (const id of ids) {
      const job = await stage.job(id);
      assert.deepEqual([job.state, job.suspects, job.attempts], ["completed", 0, 1]);
    }
    assert.equal(starts, 4);
  });

  it("what a run answers all the same counts where the store still knows its claim", async () => {
    let starts = 0;
    const deaf = task("deaf", async (_: object) => {
      starts++;
      await new Promise<void>((resolve) => void stage.runtime.after(4_000, resolve));
    });
    await using stage = new Stage({ deaf });
    await stage.start({ queues: { default: 1 } });
    const [id = ""] = await stage.enqueue(deaf.with({}));
    await stage.advance(1_000);
    promote(stage);
    await stage.advance(20_000);
    assert.deepEqual([(await stage.job(id)).state, starts], ["completed", 1]);
  });

  it("notes are read again, though as many were written in this past as in the other", async () => {
    const never = task("never", (_: object) => undefined);
    await using stage = new Stage({ never });
    await stage.start({ queues: { default: 1 } });
    await stage.advance(3_000);
    const looks = (): number => stage.calls.filter(({ verb, args }) => verb === "find" && JSON.stringify(args[0]).includes("schedule/")).length;
    const before = looks();
    promote(stage);
    await stage.advance(3_000);
    assert.ok(looks() > before, "schedules of the other past are still believed");
  });
});
