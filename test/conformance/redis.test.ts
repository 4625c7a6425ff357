/** Every law, on Redis: each process with connections of its own to one server. */
import { describe, test } from "node:test";
import { holdTo, laws } from "../../src/conformance/index.ts";
import { redisMissing } from "../redis/server.ts";
import { onRedis } from "./engines.ts";

describe("Redis", { skip: redisMissing ?? false }, () => {
  for (const law of laws) test(`${law.guarantee} on redis: ${law.name}`, () => holdTo(law, onRedis));
});
