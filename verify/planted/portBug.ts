/** What the hook calls at the engines' doors: the engine as it is with the bug that ERRAND_PLANTED names. */
import type { Engine } from "../../src/core/engine.ts";
import { bugs as ofLaws } from "../../test/conformance/bugs.ts";
import { distorted, type Distortion } from "../../test/conformance/planted.ts";
import { plants } from "../model/planted.ts";
import { joinedPlants } from "../model/plantedJoined.ts";
import { bugs as ofLives } from "../simulator/bugs.ts";
import { portBugs } from "./portBugs.ts";

export function isPortBug(name: string): boolean {
  return portBugs.some((bug) => bug.name === name);
}

export function withBug(engine: Engine): Engine {
  const bug = portBugs.find(({ name }) => name === process.env["ERRAND_PLANTED"]);
  return bug?.port === undefined ? engine : planterOf(bug.port)(engine);
}

/** Throws where nobody has a bug of that name any more. */
export function planterOf(port: string): (engine: Engine) => Engine {
  const model = [...plants, ...joinedPlants].find(({ bug }) => bug === port);
  if (model !== undefined) return model.on;
  const distortion: Distortion | undefined = [...ofLaws, ...ofLives].find(({ name }) => name === port)?.distortion;
  if (distortion === undefined) throw new Error(`neither the laws nor the model nor the simulator have a planted bug "${port}"`);
  return (engine) => distorted(engine, distortion);
}
