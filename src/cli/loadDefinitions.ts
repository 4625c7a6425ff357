/** Loads the modules of definitions that `errand work` was given. */
import { statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Definitions } from "../core/definitions.ts";
import { ErrandError } from "../core/errors.ts";
import type { DefinitionModule } from "../index.ts";
import { usage } from "./arguments.ts";

/** Where this very build stands. */
const errandFolder = fileURLToPath(new URL("..", import.meta.url));

export interface Loaded {
  readonly modules: readonly DefinitionModule[];
  readonly definitions: Definitions;
  /** Their URLs. */
  readonly files: readonly string[];
}

/** Throws `cli-usage`, `definition-invalid`, `name-taken`. */
export async function loadDefinitions(words: readonly string[]): Promise<Loaded> {
  if (words.length === 0) throw usage("which definitions? give a module, as in errand work ./tasks.js");
  const files = [...new Set(words.map((word) => pathToFileURL(path.resolve(word)).href))];
  const modules = await Promise.all(files.map(load));
  modules.forEach((module, at) => refuseEmpty(module, files[at] ?? ""));
  return { modules, definitions: new Definitions(modules), files };
}

async function load(url: string): Promise<DefinitionModule> {
  const file = fileURLToPath(url);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw usage(`there is no file ${file}`);
  try {
    return (await import(url)) as DefinitionModule;
  } catch (cause) {
    throw new ErrandError("definition-invalid", `${file} does not load: ${whatFailed(cause, file)}`, { cause });
  }
}

function refuseEmpty(module: DefinitionModule, url: string): void {
  if (new Definitions([module]).tasks.size > 0) return;
  const isDefault = typeof module["default"] === "object";
  throw new ErrandError(
    "definition-invalid",
    `${fileURLToPath(url)} exports no tasks${isDefault ? " by name" : ""}; write export const sendReceipt = task("send-receipt", …)`,
  );
}

function whatFailed(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") return `this Node.js (${process.version}) reads no TypeScript; use 22.18 or later, or compile it first`;
  if (error instanceof SyntaxError) return `${error.message}; node --check ${file} shows where`;
  const places = Array.from((error.stack ?? "").matchAll(/^ {4}at (?:.* \()?(.+:\d+:\d+)\)?$/gm), ([, place = ""]) => place.replace(/^file:\/\//, ""));
  const own = places.find((place) => !place.startsWith("node:") && !place.startsWith(errandFolder));
  return `${error.message}${own === undefined ? "" : ` (${own})`}`;
}
