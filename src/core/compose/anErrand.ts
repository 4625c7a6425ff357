import { refuse } from "../options.ts";
import { madeByTaskWith, type Errand } from "../task.ts";

/** Throws `option-invalid` unless `value` is what `task.with`, `batch` or `chain` answer. */
export function anErrand(value: unknown, path: string): asserts value is Errand {
  if ((value as Partial<Errand> | null | undefined)?.[madeByTaskWith] === undefined) refuse(path, value, "an errand, which is what task.with(input) answers");
}
