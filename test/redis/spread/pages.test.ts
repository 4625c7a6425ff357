/** What is found over several homes is what one reading of all says, whatever the size of the pages. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JobRow, Query } from "../../../src/core/engine.ts";
import { job } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { isMeant, keys, Looks } from "./looks.ts";

const seeds = Array.from({ length: Number(process.env["ERRAND_LIVES"] ?? 3) }, (_, nth) => Number(process.env["ERRAND_SEED"] ?? 1) + nth);
const filters = 12;

describe("finding over several homes", { skip: redisMissing ?? false }, () => {
  for (const seed of seeds) {
    it(`a filter finds what is meant of all, each once, in pages of any size and both ways (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      await looks.fill(40);
      const all = await looks.rows();
      assert.deepEqual(idsOf(all).toSorted(), [...new Set(idsOf(all))].toSorted());
      for (let nth = 0; nth < filters; nth += 1) {
        const where = nth === 0 ? {} : looks.filter();
        const meant = all.filter((row) => isMeant(row, where, all));
        const found = await looks.filtered(where);
        assert.deepEqual(idsOf(found).toSorted(), idsOf(meant).toSorted(), JSON.stringify(where));
        const limit = 1 + looks.dice.below(7);
        assert.deepEqual(await looks.filtered(where, limit), found, `${JSON.stringify(where)}, ${limit} at a time`);
        const newest = await looks.filtered(where, 1_000, true);
        assert.deepEqual(await looks.filtered(where, limit, true), newest, `${JSON.stringify(where)}, newest first, ${limit} at a time`);
        assert.deepEqual(idsOf(newest).toSorted(), idsOf(found).toSorted());
      }
    });

    it(`by its id each job is found as it is listed, in the order of asking; and as many are counted (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      await looks.fill(40);
      const all = new Map((await looks.rows()).map((row) => [row.id, row]));
      const asked = [...looks.ids.toReversed(), "nobody"];
      const { rows } = await looks.engine.find({ of: "jobs", ids: asked }, looks.at);
      assert.deepEqual(
        rows,
        asked.flatMap((id) => all.get(id) ?? []),
      );
      const counts = (await looks.engine.count(looks.at))
        .filter(({ jobs }) => jobs > 0)
        .map(({ queue, task, state, jobs }) => `${queue} ${task} ${state} ${jobs}`);
      assert.deepEqual(counts.toSorted(), tallied([...all.values()]));
    });

    it(`events, joins, lanes, locks and processes come in pages of any size, each once (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      await looks.fill(40);
      for (const key of keys) {
        const request = { name: key, process: looks.dice.pick(["one", "two", "three"]), mode: "write", leaseMs: 9_000, lastFence: 0 } as const;
        for (const ticket of ["first", "second"]) await looks.engine.lock({ ...request, ticket: `${ticket} ${key}` }, looks.at);
      }
      const queries: readonly Query["of"][] = ["events", "joins", "lanes", "locks", "processes", "notes"];
      for (const of of queries) {
        const query = (of === "notes" ? { of, prefix: "", limit: 1_000 } : { of, limit: 1_000 }) as Extract<Query, { limit: number }>;
        const whole = await paged(looks, query);
        assert.deepEqual(await paged(looks, { ...query, limit: 1 + looks.dice.below(3) }), whole, of);
        assert.equal(new Set(whole.map((row) => JSON.stringify(row))).size, whole.length, of);
      }
      const running = (await looks.rows()).filter(({ state }) => state === "running").length;
      const { rows } = await looks.engine.find({ of: "processes", limit: 10 }, looks.at);
      assert.equal(
        rows.reduce((sum, row) => sum + row.running, 0),
        running,
      );
    });

    it(`what stays as it is comes once, whatever comes and goes between two pages (${seed})`, async () => {
      await using looks = await Looks.of(seed);
      const laned = (nth: number): ReturnType<typeof job> => job(`stays ${nth}`, { lane: { key: looks.dice.pick(keys), width: 1, ifDead: "park" } });
      await looks.store(Array.from({ length: 40 }, (_, nth) => (nth % 3 === 0 ? job(`goes ${nth}`) : laned(nth))));
      const [seen, came]: [JobRow[], string[]] = [[], []];
      let after: string | undefined;
      for (let nth = 0; ; nth += 1) {
        const page = await looks.engine.find({ of: "jobs", where: {}, limit: 1 + looks.dice.below(5), ...(after !== undefined && { after }) }, looks.at);
        seen.push(...page.rows);
        if (page.next === undefined) break;
        after = page.next;
        looks.now += 1;
        const gone = { ids: [`goes ${3 * looks.dice.below(14)}`] };
        await looks.engine.change(gone, { do: "cancel", reason: "" }, 1, looks.at);
        await looks.engine.change(gone, { do: "delete" }, 1, looks.at);
        if (nth < 10) came.push(`comes ${nth}`);
        if (nth < 10) await looks.store([job(`comes ${nth}`)]);
      }
      const of = (what: string): string[] => idsOf(seen).filter((id) => id.startsWith(what));
      assert.deepEqual([new Set(idsOf(seen)).size, of("stays").length, of("comes")], [seen.length, 26, came]);
    });
  }
});

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

function tallied(rows: readonly JobRow[]): string[] {
  const groups = Map.groupBy(rows, ({ queue, task, state }) => `${queue} ${task} ${state}`);
  return [...groups].map(([name, some]) => `${name} ${some.length}`).toSorted();
}

async function paged(looks: Looks, query: Extract<Query, { limit: number }>): Promise<unknown[]> {
  const rows: unknown[] = [];
  let after: string | undefined;
  do {
    const page = await looks.engine.find({ ...query, ...(after !== undefined && { after }) }, looks.at);
    assert.ok(page.rows.length <= query.limit);
    rows.push(...page.rows);
    after = page.next;
  } while (after !== undefined);
  return rows;
}
