import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Declarations, type Surface } from "../../scripts/surface.ts";

const files: Readonly<Record<string, string>> = {
  "index.d.ts": `import type * as port from "./core/port.ts";
/** Said to people. */
export declare function broker(store: string): Broker;
export declare function broker(store: string, name: string): Broker;
export interface Broker {
    /** Told. */
    find(id: Id): port.Job;
}
export { type Kept as Renamed } from "./core/kept.ts";
export * from "./core/star.ts";
`,
  "core/port.d.ts": 'import type { Id } from "./kept.ts";\nexport interface Job {\n    readonly id: Id;\n}\nexport interface Unseen {}\n',
  "core/kept.d.ts": 'export type Id = string;\nexport type Kept = "kept";\n',
  "core/star.d.ts": "export declare class Star {\n    #private;\n    shine(): void;\n}\n",
};

describe("the printed surface", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-surface-"));
  let surface: Surface;

  before(() => {
    mkdirSync(path.join(folder, "core"));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    surface = new Declarations().surfaceOf(path.join(folder, "index.d.ts"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("follows re-exports, renamed and starred", () => {
    assert.deepEqual(
      surface.exports.map(({ name }) => name),
      ["Broker", "Renamed", "Star", "broker"],
    );
  });

  it("shows every overload", () => {
    assert.equal(surface.exports.at(-1)?.text, "function broker(store: string): Broker;\nfunction broker(store: string, name: string): Broker;");
  });

  it("leaves out comments and what is private", () => {
    assert.equal(surface.exports.at(0)?.text, "interface Broker {\n    find(id: Id): port.Job;\n}");
    assert.equal(surface.exports.at(2)?.text, "class Star {\n    shine(): void;\n}");
  });

  it("shows the types that exports lead to, through a whole module too, and no others", () => {
    assert.deepEqual(
      surface.reached.map(({ name }) => name),
      ["Id", "Job"],
    );
  });
});
