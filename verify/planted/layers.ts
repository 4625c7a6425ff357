/** The layers that may catch a planted bug: each is a program that fails, run with the bug in place. */
import type { EngineName, Planted } from "./plant.ts";

export interface Catcher {
  readonly layer: string;
  /** Undefined: it does not look at that engine. `known`: what went red the last time. */
  readonly program: (engine: EngineName, known: string | undefined) => Program | undefined;
}

export interface Program {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const inOneProcess = (engine: EngineName): boolean => engine === "memory" || engine === "sqlite";
const test = (files: readonly string[], env: Program["env"] = {}, only?: string): Program => ({
  args: ["--test", "--test-reporter=tap", "--test-timeout=300000", ...(only === undefined ? [] : [`--test-name-pattern=${only}`]), ...files],
  env,
});

/** In the order of what they cost. */
export const catchers: readonly Catcher[] = [
  { layer: "laws", program: (engine, known) => ({ args: ["verify/planted/inLaws.ts", engine, ...(known === undefined ? [] : [known])] }) },
  { layer: "port", program: (engine) => test(["test/port/port.test.ts"], {}, engine) },
  { layer: "walk", program: (engine) => (inOneProcess(engine) ? test(["test/port/walk.test.ts"], { ERRAND_LIVES: "14" }, engine) : undefined) },
  {
    layer: "model",
    program: (engine) =>
      engine === "memory" ? test(["verify/model/memory.test.ts"], { MODEL_RUNS: "400" }) : test([`verify/model/${engine}.test.ts`], { MODEL_RUNS: "200" }),
  },
  {
    layer: "simulator",
    program: (engine) => (inOneProcess(engine) ? test(["verify/simulator/*.test.ts"], { ERRAND_LIVES: "60" }, `nothing wrong happens`) : undefined),
  },
  { layer: "differential", program: () => test(["verify/differential/all.test.ts"], { STREAM_OPERATIONS: "20000" }) },
  { layer: "scopes", program: (engine) => (inOneProcess(engine) ? test(["verify/scopes/port.test.ts"]) : undefined) },
  {
    layer: "fault run",
    program: (engine) =>
      engine === "memory"
        ? { args: ["verify/faults/main.ts", "--topology", "sqlite", "--seconds", "30", "--seed", "1", "--quiet"] }
        : { args: ["verify/faults/main.ts", "--topology", engine, "--seconds", "30", "--seed", "1", "--quiet"] },
  },
  { layer: "tests", program: () => test(["test/core", "test/worker"].map((folder) => `${folder}/*.test.ts`)) },
];

/** Who looks first for what no law can see, or none sees soon. */
const firstOf: Readonly<Record<string, { readonly layer: string; readonly files?: readonly string[]; readonly only?: string }>> = {
  "cursor-unchecked": { layer: "model" },
  "era-unheard": { layer: "tests", files: ["test/worker/era.test.ts"] },
  "held-kept-on-stop": { layer: "tests", files: ["test/worker/stopping.test.ts"] },
  "size-of-batch": { layer: "tests", files: ["test/core/composeStage.test.ts"] },
  "hours-unread": { layer: "tests", files: ["test/worker/limits.test.ts", "test/core/limitsHours.test.ts"] },
  "gap-dropped": { layer: "zones", files: ["verify/zones/zones.test.ts"] },
  "postgres-note-overwritten": { layer: "port", files: ["test/port/port.test.ts"], only: "postgres .* to a note at version 2" },
  "sqlite-synchronous-normal": { layer: "tests", files: ["test/sqlite/open.test.ts"] },
  "postgres-asynchronous-commit": { layer: "tests", files: ["test/postgres/durable.test.ts"] },
};

/** The laws, for most. */
export function firstCatcher({ name, engine }: Planted, knownBy: (layer: string) => string | undefined): { readonly layer: string; readonly program: Program } {
  const { layer, files, only } = firstOf[name] ?? { layer: "laws" };
  if (files !== undefined) return { layer, program: test(files, {}, only) };
  const program = catchers.find((one) => one.layer === layer)?.program(engine, knownBy(layer));
  if (program === undefined) throw new Error(`the layer ${layer} does not look at ${engine}`);
  return { layer, program };
}
