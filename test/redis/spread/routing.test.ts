/** Where works begin, as the client says it and as the scripts do; and what may be sent side by side. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Atom, NewWork } from "../../../src/core/engine.ts";
import { script } from "../../../src/redis/fragment.ts";
import { homeOfText } from "../../../src/redis/spread/homes.ts";
import { Ids } from "../../../src/runtime/ids.ts";
import { homeOfName, namedIn, Route, routeOf, wavesOf } from "../../../src/redis/spread/routing.ts";
import { event, job, join, member } from "../../port/stage.ts";
import { redisMissing } from "../server.ts";
import { Homes } from "./stage.ts";

const count = 3;
const nobody = (): undefined => undefined;

const firstHome = script("firstHome", String.raw`return finish(U.route.first_home(cjson.decode(ARGV[2])))`);

/** A name of that shape which is of this home. */
function named(shape: (value: string) => string, home: number): string {
  const value = Array.from({ length: 100 }, (_, nth) => `v${nth}`).find((one) => homeOfName(shape(one), count) === home);
  assert.ok(value);
  return shape(value);
}

const lane = (home: number): string => named((value) => `ledger["${value}"]`, home);
const unique = (home: number): string => named((value) => `once["${value}"]`, home);

function inLane(id: string, home: number): NewWork {
  return member(id, "continue", { lane: { key: lane(home), width: 1, ifDead: "continue" } });
}

function shape(atoms: readonly Atom[]): readonly (readonly (readonly [home: number, places: readonly number[]])[])[] {
  const routes = atoms.map((atom) => routeOf(atom, count, nobody));
  return wavesOf(atoms, routes).map((wave) => wave.map(({ home, places }) => [home, places] as const));
}

describe("where a work begins", { skip: redisMissing ?? false }, () => {
  const works: readonly NewWork[] = [
    event("an event"),
    join("a join"),
    job("remembered", { rememberMs: 1_000 }),
    inLane("laned", 1),
    job("unique", { unique: { key: unique(2), mode: { is: "keep" } } }),
    job("both", { unique: { key: unique(2), mode: { is: "keep" } }, lane: { key: lane(0), width: 1, ifDead: "park" } }),
    job("limited", { keyLimits: ["b", "a"].map((scope) => ({ key: `${scope}["x${scope}"]`, is: { running: 1 } })) }),
    job("no scope", { keyLimits: [{ key: "plain", is: { running: 1 } }] }),
    job("ключ", { unique: { key: 'once["ключ 🔑"]', mode: { is: "keep" } } }),
  ];
  it("is the same for the client and for the scripts", async () => {
    await using homes = await Homes.of(count);
    for (const work of works) {
      const route = new Route([work], count, nobody);
      const told = await Promise.all(homes.verbs.map(async (verbs) => JSON.parse((await verbs.call(firstHome, "run", work, {}))[0] as string) as number));
      assert.deepEqual(told, [route.home, route.home, route.home], work.id);
    }
  });

  it("is where its join is, or the first that it comes after, as far as that is known", () => {
    const known = (id: string): number | undefined => ({ there: 2, before: 1 })[id];
    const home = (work: NewWork): number => new Route([work], count, known).home;
    assert.equal(home(job("a", { join: "there", after: [{ id: "before", when: "well" }] })), 2);
    assert.equal(
      home(
        job("a", {
          after: [
            { id: "nobody", when: "well" },
            { id: "before", when: "well" },
          ],
        }),
      ),
      1,
    );
    assert.equal(home(join("within", { join: "there" })), 2);
    const [work] = new Route([job("a", { join: "there", after: [{ id: "before", when: "well" }] })], count, known).works;
    assert.deepEqual(work, { ...job("a", { join: "there" }), joinHome: 2, after: [{ id: "before", when: "well", home: 1 }] });
  });

  it("is that of its atom where nothing leads it elsewhere, also for what comes after it", () => {
    const route = new Route([job("plain"), job("then", { after: [{ id: "plain", when: "well" }] }), inLane("laned", 1)], count, nobody);
    assert.equal(route.home, 1);
    assert.deepEqual([...route.homes.values()], [1, 1, 1]);
    assert.deepEqual(route.sentOn, []);
    const later = new Route(
      [inLane("a", 0), inLane("b", 1), job("c", { after: [{ id: "b", when: "well" }], unique: { key: unique(2), mode: { is: "keep" } } })],
      count,
      nobody,
    );
    assert.deepEqual([...later.homes.values()], [0, 1, 1]);
    assert.equal(new Route([job("plain")], count, nobody).home, homeOfText("plain", count));
    assert.equal(routeOf({ works: [inLane("laned", 1)], notes: [{ key: "k", value: "v" }] }, count, nobody).home, 0);
  });

  it("is not where an event is that it takes for a join", () => {
    const route = new Route([inLane("a", 1), event("x"), job("b", { join: "x" })], count, nobody);
    assert.equal(route.homes.get("b"), 1);
    assert.deepEqual(route.works[2], job("b", { join: "x" }));
  });

  it("need not be asked for where it stands earlier in the same atom", () => {
    assert.deepEqual(
      namedIn([
        join("J"),
        job("a", { join: "J" }),
        job("b", {
          after: [
            { id: "a", when: "well" },
            { id: "x", when: "ended" },
          ],
        }),
      ]),
      ["x"],
    );
  });
});

describe("the atoms of a call", () => {
  const atom = (...works: readonly NewWork[]): Atom => ({ works });

  it("go to one home where nothing leads them elsewhere and errand made their ids together, and to another when it made them later", () => {
    const ids = new Ids();
    const homesAt = (now: number): readonly number[] =>
      shape(Array.from({ length: 64 }, () => atom(job(ids.next(now)))))
        .flat()
        .map(([home]) => home);
    const homes = Array.from({ length: 50 }, (_, turn) => homesAt(1_000 + turn * 10));
    for (const used of homes) assert.equal(used.length, 1);
    assert.equal(new Set(homes.flat()).size, count);
  });

  it("go each to a home of its own where they are large", () => {
    const ids = new Ids();
    const lists = Array.from({ length: 20 }, () => atom(...Array.from({ length: 200 }, () => job(ids.next(1)))));
    assert.equal(shape(lists).flat().length, count);
  });

  it("go side by side, those of each home in their order", () => {
    assert.deepEqual(shape([atom(inLane("a", 0)), atom(inLane("b", 1)), atom(inLane("c", 0))]), [
      [
        [0, [0, 2]],
        [1, [1]],
      ],
    ]);
  });

  it("wait for one that sends something on of the same key", () => {
    assert.deepEqual(shape([atom(inLane("a", 0), inLane("b", 1)), atom(inLane("c", 1))]), [[[0, [0]]], [[1, [1]]]]);
  });

  it("wait for notes, which all homes are told of", () => {
    const noting: Atom = { works: [], notes: [{ key: "k", value: "v" }] };
    assert.deepEqual(shape([noting, atom(inLane("a", 0)), atom(inLane("b", 1)), atom(inLane("c", 2))]), [
      [[0, [0, 1]]],
      [
        [1, [2]],
        [2, [3]],
      ],
    ]);
  });

  it("do not wait for one that sends on what they have nothing to do with", () => {
    const other = job("c", { unique: { key: unique(1), mode: { is: "keep" } } });
    assert.deepEqual(shape([atom(inLane("a", 0), inLane("b", 1)), atom(other)]), [
      [
        [0, [0]],
        [1, [1]],
      ],
    ]);
  });

  it("wait for what they come after, and what was sent on", () => {
    const first = atom(inLane("a", 0), inLane("b", 1));
    const then = atom(job("c", { after: [{ id: "b", when: "well" }], lane: { key: lane(2), width: 1, ifDead: "park" } }));
    assert.deepEqual(shape([first, then]), [[[0, [0]]], [[2, [1]]]]);
  });
});
