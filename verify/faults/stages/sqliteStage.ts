/** A file that all processes share. Nothing is to be killed but them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { sqlitePlace } from "../../../src/verify/stores/sqlitePlace.ts";
import type { Stage } from "../stage.ts";
import { beside, own } from "./names.ts";

export function sqliteStage(): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), "errand-faults-"));
  const place = sqlitePlace(path.join(folder, "app.db"), own);
  return Promise.resolve({
    place,
    neighbour: sqlitePlace(path.join(folder, "app.db"), beside),
    app: { by: "sqlite", file: place.file ?? "" },
    replicas: 0,
    disturbances: [],
    mayForget: false,
    [Symbol.asyncDispose]: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  });
}
