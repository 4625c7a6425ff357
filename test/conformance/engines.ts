/** The engines that are held to the laws. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineMaker } from "../../src/conformance/index.ts";
import { memory } from "../../src/memory/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { AppRows } from "./appRows.ts";
import { Wipeable } from "./wipeable.ts";

export const onMemory: EngineMaker = {
  name: "memory",
  open: () => {
    const store = new Wipeable(() => {
      const engine = memory();
      return () => engine;
    });
    return { engine: () => store.engine(), wipe: () => store.wipe(), dispose: () => undefined };
  },
};

/** In memory where there is such a place: laws ask for no durability, and open some hundred files. */
const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Each process has a connection of its own on one file. */
export const onSqlite: EngineMaker = {
  name: "sqlite",
  open: () => {
    const folder = mkdtempSync(join(place, "errand-laws-"));
    let file = "";
    const store = new Wipeable((generation) => {
      file = join(folder, `laws${generation}.db`);
      const own = file;
      return () => sqlite(own);
    });
    const app = new AppRows(() => file);
    const dispose = (): void => {
      app.close();
      rmSync(folder, { recursive: true });
    };
    return { engine: () => store.engine(), wipe: () => store.wipe(), dispose, app };
  },
};
