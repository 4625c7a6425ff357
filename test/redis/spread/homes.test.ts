/** Homes lie evenly over the slots of a cluster, and scripts and clients agree on what belongs to which. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { homesOf, homesMax, slotOf } from "../../../src/redis/spread/homes.ts";
import { clusterPort } from "../cluster.ts";
import { PrivateServer } from "../privateServer.ts";
import { noServer } from "../server.ts";

const slots = 16_384;

it("the slot of a home is the one that a cluster computes", { skip: noServer ?? false }, async () => {
  await using server = await PrivateServer.start({ settings: { "cluster-enabled": "yes" }, port: clusterPort });
  for (const home of homesOf("errand", 20)) assert.equal(slotOf(home), await server.ask("cluster", "keyslot", home));
});

it("homes lie in equal ranges of slots, each within its own, counted from the first, which lies in the middle of its own", () => {
  for (const prefix of ["errand", "shop:a", "ü"]) {
    for (let count = 1; count <= homesMax; count += 1) {
      const homes = homesOf(prefix, count);
      assert.equal(new Set(homes).size, count);
      assert.equal(homes[0], `{${prefix}:0}`);
      const first = slotOf(`{${prefix}:0}`);
      for (const [nth, home] of homes.entries()) {
        const away = ((slotOf(home) - first - (nth * slots) / count + 1.5 * slots) % slots) - slots / 2;
        assert.ok(Math.abs(away) <= slots / count / 2, `${home} of ${count} lies ${away} slots from where it should`);
      }
    }
  }
});

it("the homes of a store have the names that they had when it was made", () => {
  assert.deepEqual(homesOf("errand", 1), ["{errand:0}"]);
  assert.deepEqual(homesOf("errand", 3), ["{errand:0}", "{errand:1.2}", "{errand:2.0}"]);
});
