import assert from "node:assert/strict";
import { it } from "node:test";
import pg from "pg";
import postgres from "postgres";
import type { Heard } from "../../src/core/engine.ts";
import { beatSourceOf, openBeat } from "../../src/postgres/beatConnection.ts";
import { databaseOf } from "../../src/postgres/client.ts";
import { postgres as engineOn } from "../../src/postgres/index.ts";
import { startBeat } from "../../src/runtime/beat.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { clients } from "./clients.ts";
import { freshPlace } from "./places.ts";
import { postgresMissing, serverUrl } from "./server.ts";

const skip = postgresMissing ?? false;
const statement = `SELECT jsonb_build_object('now', $2::bigint, 'isLost', false, 'cancelled', jsonb_build_array($1::text), 'notesVersion', pg_backend_pid(), 'era', 'e') AS heard`;

for (const { name, open } of clients) {
  it(`by ${name}: a thread beats over a connection of its own, also while the main loop is blocked and the pool is in use`, { skip }, async () => {
    await using opened = open(await serverUrl(), 1);
    const source = beatSourceOf(opened.database, statement);
    const reserved = await opened.database.reserve();
    const [own] = await reserved.query("SELECT pg_backend_pid() AS pid", []);
    const { promise, resolve, reject } = Promise.withResolvers<Heard>();
    const beat = startBeat({
      process: "p1",
      leaseMs: 8_000,
      everyMs: 20,
      maxBlockMs: 60_000,
      source,
      beat: () => Promise.reject(new Error("the main loop was to leave it to the thread")),
      heard: resolve,
      failed: reject,
    });
    const heard = await promise;
    await beat.stop();
    reserved.release();
    assert.deepEqual({ ...heard, notesVersion: 0 }, { now: 8_000, isLost: false, cancelled: ["p1"], notesVersion: 0, era: "e" });
    assert.notEqual(heard.notesVersion, own?.["pid"]);
  });
}

it("what cannot be told to a thread leaves the beat to the main loop", () => {
  const secret = { password: (): string => "secret" };
  for (const given of [new pg.Pool(secret), postgres({ host: "h", pass: () => "secret" } as never)]) {
    assert.equal(beatSourceOf(databaseOf(given), statement), undefined);
  }
});

it("an engine on such a pool has no source of beats, and says so; on another it has one while it is open", { skip }, async () => {
  const place = await freshPlace();
  const { hostname, port, username, pathname } = new URL(place.url);
  const given = { host: hostname, port: Number(port), user: username, database: pathname.slice(1), max: 1 };
  for (const [options, beats] of [
    [{ ...given, password: () => "secret" }, false],
    [given, true],
  ] as const) {
    const pool = new pg.Pool(options);
    const engine = engineOn(pool, { schema: place.schema });
    await engine.open({ runtime: new StillRuntime() });
    assert.deepEqual(
      [engine.beatSource !== undefined, engine.guarantees().beatsFromThread, engine.guarantees().weaker["G20"] === undefined],
      [beats, beats, beats],
    );
    await engine.close();
    assert.equal(engine.beatSource, undefined);
    await pool.end();
  }
  await place.done();
});

it("a thread connects with all that the app's pool was given, also with what its driver hides", () => {
  const database = databaseOf(new pg.Pool({ host: "h", port: 1, user: "u", password: "secret", database: "d", max: 7 }));
  assert.deepEqual(beatSourceOf(database, statement)?.data, {
    statement,
    reach: { driver: "pg", options: { host: "h", port: 1, user: "u", password: "secret", database: "d" } },
  });
});

it("a beat that fails is an ErrandError, and its connection can be closed", { skip }, async () => {
  const database = databaseOf(new URL("/never_made", await serverUrl()).href);
  const connection = openBeat(beatSourceOf(database, statement)?.data);
  await assert.rejects(async () => connection.beat("p1", 8_000), { code: "store-denied" });
  await connection.close();
});
