/** Compiles mistakes.ts and compares what the compiler says, mistake by mistake, with the reviewed snapshot. ERRAND_UPDATE_SNAPSHOTS=1 writes a new one to review. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { compile } from "./compile.ts";

const folder = import.meta.dirname;
const snapshotFile = path.join(folder, "mistakes.snapshot.txt");
const marker = "// mistake: ";

interface Mistake {
  readonly claim: string;
  readonly code: string[];
  readonly said: string[];
}

let mistakes: readonly Mistake[] = [];
let elsewhere: readonly string[] = [];

before(async () => {
  const lines = (await readFile(path.join(folder, "mistakes.ts"), "utf8")).split("\n");
  [mistakes, elsewhere] = sorted(lines, await compile("mistakes.ts"));
});

test("each mistake is found, at the mistake, and nothing else is", () => {
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(
    mistakes.filter(({ said }) => said.length === 0).map(({ claim }) => claim),
    [],
  );
  assert.ok(mistakes.length >= 60);
});

test("no mistake ends in an overload, and each message can be read", () => {
  for (const { claim, said } of mistakes) {
    assert.doesNotMatch(said.join("\n"), /No overload matches|excessively deep|\.\.\. \d+ more \.\.\./, claim);
    assert.ok(said.length <= 12, `${claim}: ${said.length} lines`);
  }
});

test("what the compiler says is what was reviewed", async () => {
  const printed = mistakes.map(({ claim, code, said }) => [`# ${claim}`, ...code.map((line) => `    ${line}`), ...said].join("\n")).join("\n\n");
  if (process.env["ERRAND_UPDATE_SNAPSHOTS"] === "1") await writeFile(snapshotFile, `${printed}\n`);
  assert.equal(`${printed}\n`, await readFile(snapshotFile, "utf8"));
});

/** The compiler's lines, each with the mistake it belongs to; and those that belong to none. */
function sorted(source: readonly string[], output: string): [Mistake[], string[]] {
  const made: Mistake[] = [];
  const ofLine: (Mistake | undefined)[] = source.map((line) => {
    if (line.startsWith(marker)) made.push({ claim: line.slice(marker.length), code: [], said: [] });
    else if (line !== "" && !line.startsWith("//")) made.at(-1)?.code.push(line);
    return made.at(-1);
  });
  const others: string[] = [];
  let current: string[] = others;
  for (const line of output.split("\n").filter((text) => text !== "")) {
    const place = /^mistakes\.ts\((\d+),(\d+)\): error (.*)$/.exec(line);
    if (place !== null) current = ofLine[Number(place[1]) - 1]?.said ?? others;
    else if (!line.startsWith(" ")) current = others;
    current.push(place === null ? line : (place[3] ?? ""));
  }
  return [made, others];
}
