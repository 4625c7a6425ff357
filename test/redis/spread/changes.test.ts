/** What is changed over several homes is what was meant of all, also in pieces. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change, ChangedJob, JobFilter, JobRow, Selection } from "../../../src/core/engine.ts";
import { isEnded } from "../../../src/core/states.ts";
import { redisMissing } from "../server.ts";
import { isMeant, Looks } from "./looks.ts";

const seeds = Array.from({ length: Number(process.env["ERRAND_LIVES"] ?? 3) }, (_, nth) => Number(process.env["ERRAND_SEED"] ?? 1) + nth);

const changes: readonly { readonly change: Change; readonly answers: readonly ChangedJob["is"][]; readonly does: (row: JobRow) => boolean }[] = [
  {
    change: { do: "cancel", reason: "not needed" },
    answers: ["cancelled", "cancelling"],
    does: ({ state, claim }) => !isEnded(state) && claim?.isCancelling !== true,
  },
  {
    change: { do: "prioritise", headStartMs: 7_000 },
    answers: ["prioritised"],
    does: ({ state, headStartMs }) => !isEnded(state) && state !== "running" && headStartMs !== 7_000,
  },
  { change: { do: "delete" }, answers: ["deleted"], does: ({ state }) => isEnded(state) },
];

describe("changing over several homes", { skip: redisMissing ?? false }, () => {
  for (const seed of seeds) {
    for (const { change, answers, does } of changes) {
      it(`${change.do}: a filter's jobs, a few at a time, each once and no other (${seed})`, async () => {
        await using looks = await Looks.of(seed);
        await looks.fill(30);
        for (let nth = 0; nth < 6; nth += 1) {
          const all = await looks.rows();
          const where = looks.filter();
          const meant = all.filter((row) => isMeant(row, where, all) && does(row));
          const changed = await inPieces(looks, { jobs: where }, change);
          for (const { is } of changed) assert.ok(answers.includes(is), is);
          // What one of them held back may be let go, and come to be meant; what it took along is gone.
          const isExact = change.do !== "cancel" && where.after === undefined && where.before === undefined;
          const expected = isExact ? meant : meant.filter(({ id }) => changed.some((one) => one.id === id));
          assert.deepEqual(idsOf(changed).toSorted(), idsOf(expected).toSorted(), JSON.stringify(where));
          await left(looks, where, does);
        }
      });
    }

    it(`of jobs by ids each answer is that of where it is (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      await looks.fill(30);
      const rows = new Map((await looks.rows()).map((row) => [row.id, row]));
      const ids = [...looks.ids.filter((id) => rows.get(id)?.after === undefined), "nobody"];
      const { jobs } = await looks.engine.change({ ids }, { do: "cancel", reason: "not needed" }, 1_000, looks.at);
      assert.deepEqual(
        jobs.map(({ id, is }) => `${id} ${is}`),
        ids.map((id) => `${id} ${cancelled(rows.get(id))}`),
      );
    });

    it(`cancelling a join ends all of it, wherever its members are, and it closes when none lives (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      await looks.fill(30);
      const before = await looks.rows();
      const isMember = ({ joins = [] }: JobRow): boolean => joins.includes("J0") || joins.includes("J2");
      const changed = await inPieces(looks, { join: "J0" }, { do: "cancel", reason: "all of it" });
      const running = before.filter(({ state }) => state === "running");
      const meant = new Set(idsOf(before.filter((row) => isMember(row) && !isEnded(row.state) && row.claim?.isCancelling !== true)));
      // What came after another one of them may have ended with that.
      assert.deepEqual([idsOf(changed).filter((id) => !meant.has(id)), new Set(idsOf(changed)).size], [[], changed.length]);
      const members = (await looks.rows()).filter((row) => isMember(row));
      for (const { id, state, claim } of members) {
        if (running.some((row) => row.id === id)) assert.ok(isEnded(state) || claim?.isCancelling === true, id);
        else assert.ok(isEnded(state), `${id} ${state}`);
      }
      looks.now += 20_000;
      await looks.settleDown();
      const { rows } = await looks.engine.find({ of: "joins", ids: ["J0", "J2"] }, looks.at);
      assert.deepEqual(
        rows.map(({ state, live, isCancelled }) => [state, live, isCancelled]),
        [
          ["closed", 0, true],
          ["closed", 0, true],
        ],
      );
    });

    it(`a job that died after it came through several homes is redriven from where it began, or told that its key is taken (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      await looks.fill(30);
      const dead = (await looks.rows()).filter(({ state }) => state === "dead");
      const { jobs } = await looks.engine.change({ ids: idsOf(dead) }, { do: "retry" }, 1_000, looks.at);
      const now = new Map((await looks.rows()).map((row) => [row.id, row]));
      for (const { id, is } of jobs) {
        assert.ok(is === "retried" || is === "taken", `${id} ${is}`);
        assert.equal(now.get(id)?.state === "dead", is === "taken", `${id} ${is} ${now.get(id)?.state}`);
        if (is === "taken") assert.ok([...now.values()].some((row) => row.id !== id && row.unique === now.get(id)?.unique && !isEnded(row.state)));
      }
    });
  }
});

function cancelled(row: JobRow | undefined): ChangedJob["is"] {
  if (row === undefined) return "unknown";
  if (isEnded(row.state)) return "ended";
  return row.state === "running" ? "cancelling" : "cancelled";
}

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

/** Until there is no more; never more at once than asked for. */
async function inPieces(looks: Looks, which: Selection, change: Change): Promise<readonly ChangedJob[]> {
  const changed: ChangedJob[] = [];
  const most = 2 * looks.ids.length;
  for (let calls = 0; ; calls += 1) {
    const limit = 1 + looks.dice.below(6);
    const { jobs, hasMore } = await looks.engine.change(which, change, limit, looks.at);
    assert.ok(jobs.length <= limit && calls <= most, `${jobs.length} of ${limit}, call ${calls}`);
    changed.push(...jobs);
    if (!hasMore) return changed;
  }
}

async function left(looks: Looks, where: JobFilter, does: (row: JobRow) => boolean): Promise<void> {
  const rows = await looks.rows();
  assert.deepEqual(idsOf(rows.filter((row) => isMeant(row, where, rows) && does(row))), [], JSON.stringify(where));
}
