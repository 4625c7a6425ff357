/** A place that a module makes: an engine of somebody else. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ErrandError } from "../../core/errors.ts";
import type { SharedEngine } from "../../conformance/sharedEngine.ts";
import type { Place } from "./place.ts";

export async function modulePlace(module: string): Promise<Place> {
  const shared = await sharedEngineIn(module);
  const place = await shared.make();
  const server = shared.server?.(place);
  return {
    name: `${shared.name}, ${place}`,
    servers: server === undefined ? [] : [server],
    ...(server === undefined && { whyNoServers: "the module names no server" }),
    reach: (via) => ({ by: "module", module, place, ...(server !== undefined && via !== undefined && { via: via(server) }) }),
    remove: async () => {
      await shared.remove(place);
    },
    byHand: `remove("${place}") of ${module}`,
  };
}

/** Throws `definition-invalid`, `option-invalid`. */
export async function sharedEngineIn(module: string): Promise<SharedEngine> {
  if (!existsSync(fileURLToPath(module))) throw new ErrandError("option-invalid", `there is no file ${fileURLToPath(module)}`);
  const { default: found } = (await import(module)) as { readonly default?: Partial<SharedEngine> };
  const isOne = typeof found?.make === "function" && typeof found.engine === "function" && typeof found.remove === "function";
  if (isOne) return { name: "an engine", ...found } as SharedEngine;
  throw new ErrandError(
    "definition-invalid",
    `${module} has no engine to verify; give it export default { name, make, engine, remove }, the SharedEngine of errand/conformance`,
  );
}
