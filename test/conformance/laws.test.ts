/** Every law, on every engine. */
import { describe, test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { engines } from "./engines.ts";

for (const maker of engines) {
  describe(maker.name, () => {
    for (const law of laws) test(`${law.guarantee}: ${law.name}`, () => holdTo(law, maker));
  });
}
