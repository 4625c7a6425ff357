/** What a URL of a cluster says: several nodes to begin with, and what they have in common. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import { redis } from "../../src/redis/index.ts";
import { placeOf } from "../../src/redis/url.ts";

describe("the URL of a cluster", () => {
  it("is read", () => {
    assert.deepEqual(placeOf("redis+cluster://app:p%40ss@a,b:7001,[::1]:7002/0?prefix=shop&family=6"), {
      servers: ["redis://app:p%40ss@a/0?family=6", "redis://app:p%40ss@b:7001/0?family=6", "redis://app:p%40ss@[::1]:7002/0?family=6"],
      isCluster: true,
      prefix: "shop",
      partitions: undefined,
    });
    assert.deepEqual(placeOf("rediss+cluster://a:1").servers, ["rediss://a:1"]);
  });

  for (const url of ["redis+cluster://a:1,,b:2", "redis+cluster://a:1/3", "redis+cluster://", "redis+cluster://app:secret@a:x", "redis://a:1,b:2"]) {
    it(`is refused as ${url.replace(/:\/\/.*@/, "://")}, without its password`, () => {
      assert.throws(
        () => redis(url),
        (error) => ErrandError.is(error, "option-invalid") && /redis\+cluster:\/\/host:7000,host:7001/.test(error.message) && !error.message.includes("secret"),
      );
    });
  }
});

describe("a URL says over how many partitions a store is spread", () => {
  it("and the driver does not hear of it", () => {
    assert.deepEqual(placeOf("redis://a/2?partitions=3&prefix=shop"), { servers: ["redis://a/2"], isCluster: false, prefix: "shop", partitions: 3 });
  });

  for (const said of ["0", "65", "1.5", "three", "", "-1"]) {
    it(`but not "${said}"`, () => {
      for (const make of [() => redis(`redis://a?partitions=${said}`), () => redis("redis://a", { partitions: said === "" ? Number.NaN : Number(said) })]) {
        assert.throws(make, (error) => ErrandError.is(error, "option-invalid") && /partitions is .*: 1 to 64/.test(error.message));
      }
    });
  }
});
