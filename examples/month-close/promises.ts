/** What must hold with errand, whatever went wrong meanwhile. Empty: all of it does. */
import type { Audit } from "./audit.ts";

export function brokenPromises(audit: Audit): readonly string[] {
  const promises: readonly (readonly [broken: number, sentence: string])[] = [
    [audit.wrong.length, "charges were wrong"],
    [audit.disagreements, "charges are not in the books as they were made"],
    [audit.heldWrongly, "accounts were held, or not held, wrongly"],
    [audit.lettersMissing, "customers were not told"],
    [audit.lettersTwice, "customers were told twice"],
    [audit.lettersWrong, "customers were told another sum than they were charged"],
    [audit.hasReport ? 0 : 1, "report is missing"],
  ];
  return promises.filter(([broken]) => broken > 0).map(([broken, sentence]) => `${broken} ${sentence}`);
}
