/** Every law, on Redis over three partitions: what holds in one small store holds over several, but for what a law says is not claimed between them. */
import { describe, test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { redisMissing } from "../redis/server.ts";
import { onRedisSpread } from "./engines.ts";

/** Most of each is waiting for an answer. */
const atOnce = 4;

describe("Redis over three partitions", { skip: redisMissing ?? false, concurrency: atOnce }, () => {
  for (const law of laws) {
    if (law.between === undefined) test(`${law.guarantee} on redis over partitions: ${law.name}`, () => holdTo(law, onRedisSpread));
  }
});
