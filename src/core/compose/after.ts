/** The option `after`: what must end before. */
import { afterMax } from "../defaults.ts";
import { checkId } from "../names.ts";
import { refuse } from "../options.ts";
import { anErrand } from "./anErrand.ts";

/** One or several errands of the same call, or ids of what is stored. Throws `option-invalid`, `name-invalid`. */
export function anAfter(value: unknown, path: string): void {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > afterMax) refuse(path, value, `at most ${afterMax}; put them into a batch, and come after that`);
  for (const each of list) {
    if (typeof each === "string") checkId(each, path);
    else anErrand(each, path);
  }
}
