/** What oxlint has no rule for: who may import whom, and the ways to a clock, a timer or chance that go round its globals. */

/** Folder of `src/` → the folders it may import from. `.` is the top: the door "errand" and what wires it. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: ["core"],
  runtime: ["runtime", "core"],
  memory: ["memory", "core"],
  sqlite: ["sqlite", "core"],
  postgres: ["postgres", "core"],
  redis: ["redis", "core"],
  conformance: ["conformance", "core", "testing"],
  testing: ["testing", "core", "memory", "runtime"],
  cli: ["cli", "core", "runtime", "verify", "."],
  verify: ["verify", "core", "runtime", "conformance", "postgres", "redis", "."],
  ".": [".", "core", "runtime", "memory", "sqlite", "postgres", "redis"],
};

export const engineFolders: readonly string[] = ["memory", "sqlite", "postgres", "redis"];

/** The modules of core that engines may use at run time: data and pure functions. Types they may take from anywhere in core. */
export const coreForEngines: readonly string[] = [
  "defaults",
  "endings",
  "errors",
  "fanOut",
  "gather",
  "joining",
  "keyLimits",
  "keys",
  "names",
  "notes",
  "refusals",
  "refused",
  "states",
];

/** Core computes; it does no I/O. */
export const builtinsOfCore: readonly string[] = ["node:async_hooks", "node:crypto", "node:url", "node:path"];

/** Packages that core may use: they compute, too. */
export const packagesOfCore: readonly string[] = ["croner"];

/** Only `src/runtime/` may import these. */
export const builtinsOfRuntime: readonly string[] = [
  "node:child_process",
  "node:perf_hooks",
  "node:timers",
  "node:timers/promises",
  "node:worker_threads",
  "node:cluster",
];

/** The one thing that others may import from node:crypto; the rest of it is chance. */
export const cryptoWithoutChance: readonly string[] = ["createHash", "hash", "timingSafeEqual"];

/** Globals that lint forbids by name, and that must not be reached through `globalThis` either. */
export const globalsOfRuntime: readonly string[] = ["Date", "performance", "setTimeout", "setInterval", "setImmediate", "crypto"];
