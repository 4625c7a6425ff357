/** A chain: one after the other. */
import { enqueueCallMax } from "../defaults.ts";
import { ErrandError } from "../errors.ts";
import { madeByTaskWith, type Errand } from "../task.ts";
import { anErrand } from "./anErrand.ts";

/**
 * Steps that start one after the other, each when the one before has completed or was skipped, as one errand.
 *
 *     await work.enqueue(chain(extract.with({ doc }), batch([thumb.with({ doc }), ocr.with({ doc })]), publishDoc.with({ doc })));
 *
 * When a step dies, is cancelled or parked, those behind it end cancelled, so nobody waits for ever. A step may be a batch or a chain.
 * Throws `option-invalid`, `enqueue-too-many`.
 */
export function chain(first: Errand, ...rest: readonly Errand[]): Errand {
  const members = [first, ...rest];
  if (members.length > enqueueCallMax)
    throw new ErrandError("enqueue-too-many", `chain was given ${members.length} steps, of ${enqueueCallMax} allowed; chain several chains`, {
      details: { items: members.length },
    });
  members.forEach((errand, index) => anErrand(errand, `chain[${index}]`));
  return Object.freeze({ kind: "errand", name: "chain", [madeByTaskWith]: { group: "chain" as const, members, callbacks: [], options: {} } });
}
