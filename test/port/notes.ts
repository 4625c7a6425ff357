/** Notes: written in the atom of enqueue, compared and set, read and listed. */
import assert from "node:assert/strict";
import type { NoteWrite } from "../../src/core/engine.ts";
import { event, job, start } from "./stage.ts";
import type { Case } from "./stage.ts";

/** Writes after note "n" was written twice: the version it has then, or a conflict. */
const writeRows: readonly { readonly write: NoteWrite; readonly version: number | "conflict" | "gone" }[] = [
  { write: { key: "n", value: "new" }, version: 3 },
  { write: { key: "n", value: "new", ifVersion: 2 }, version: 3 },
  { write: { key: "n", value: "new", ifVersion: 1 }, version: "conflict" },
  { write: { key: "n", value: "new", ifVersion: 3 }, version: "conflict" },
  { write: { key: "n", value: "new", ifVersion: 0 }, version: "conflict" },
  { write: { key: "n", value: undefined }, version: "gone" },
  { write: { key: "n", value: undefined, ifVersion: 2 }, version: "gone" },
  { write: { key: "n", value: undefined, ifVersion: 1 }, version: "conflict" },
  { write: { key: "m", value: "new", ifVersion: 0 }, version: 1 },
  { write: { key: "m", value: "new", ifVersion: 1 }, version: "conflict" },
  { write: { key: "m", value: "new" }, version: 1 },
  { write: { key: "m", value: undefined }, version: "gone" },
];

export const cases: readonly Case[] = [
  ...writeRows.map(({ write, version }): Case => ({
    claim: `a write ${JSON.stringify({ ...write, value: write.value ?? null })} to a note at version 2 (m: none): ${version}`,
    run: async (stage) => {
      await stage.write({ key: "n", value: "1" });
      await stage.write({ key: "n", value: "2" });
      stage.advance(5);
      if (version === "conflict") {
        assert.equal(await stage.refused({ works: [job("a"), event("e")], notes: [{ key: "other", value: "1" }, write] }), "note-conflict");
        return;
      }
      await stage.store({ works: [job("a")], notes: [write] });
      assert.equal(await stage.state("a"), "ready");
      assert.deepEqual(await stage.note(write.key), version === "gone" ? undefined : { key: write.key, version, value: "new", writtenAt: start + 5 });
    },
  })),
  {
    claim: "a note that was deleted begins at version 1 again",
    run: async (stage) => {
      await stage.write({ key: "n", value: "1" });
      await stage.write({ key: "n", value: undefined });
      await stage.write({ key: "n", value: "2", ifVersion: 0 });
      assert.equal((await stage.note("n"))?.version, 1);
    },
  },
  {
    claim: "atoms of one call see the notes of those before them: of two that take a note, one does",
    run: async (stage) => {
      const answers = await stage.atoms(
        { works: [job("a")], notes: [{ key: "n", value: "a", ifVersion: 0 }] },
        { works: [job("b")], notes: [{ key: "n", value: "b", ifVersion: 0 }] },
      );
      assert.deepEqual(
        answers.map((answer) => Array.isArray(answer)),
        [true, false],
      );
      assert.equal(await stage.states("a", "b"), "ready unknown");
    },
  },
  {
    claim: "an id conflict keeps the atom's notes out, a note conflict its work",
    run: async (stage) => {
      await stage.enqueue(job("a"));
      assert.equal(await stage.refused({ works: [job("a", { content: "other" })], notes: [{ key: "n", value: "1" }] }), "id-conflict");
      assert.equal(await stage.note("n"), undefined);
    },
  },
  {
    claim: "a note's value comes back as the text it was",
    run: async (stage) => {
      const value = '{ "a": 1.0, "ü": "\\u0000😀" }';
      await stage.write({ key: "n", value });
      assert.equal((await stage.note("n"))?.value, value);
    },
  },
  {
    claim: "notes are listed by prefix, in pages, each once",
    run: async (stage) => {
      const keys = ["x/1", "x/10", "x/2", "xy", "x_", "y/1", "x%"];
      await stage.write(...keys.map((key) => ({ key, value: "v" })));
      const page = async (prefix: string, limit: number, after?: string): Promise<string[]> => {
        const { rows, next } = await stage.engine.find({ of: "notes", prefix, limit, ...(after !== undefined && { after }) }, stage.at);
        const found = rows.map(({ key }) => key);
        return next === undefined ? found : [...found, ...(await page(prefix, limit, next))];
      };
      assert.deepEqual(await page("x/", 2), ["x/1", "x/10", "x/2"]);
      assert.deepEqual((await page("x", 1)).toSorted(), ["x%", "x/1", "x/10", "x/2", "x_", "xy"]);
      assert.deepEqual(await page("x%", 5), ["x%"]);
      assert.deepEqual(await page("x_", 5), ["x_"]);
      assert.deepEqual((await page("", 3)).toSorted(), keys.toSorted());
      assert.deepEqual(await page("nobody", 3), []);
    },
  },
];
