/** What a definition may say of limits, resources and breakers, and what becomes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrandError, type ErrorCode } from "../../src/core/errors.ts";
import { keyLimitOf } from "../../src/core/keyLimits.ts";
import { resource } from "../../src/core/limits/resource.ts";
import { event } from "../../src/core/event.ts";
import { Definitions } from "../../src/core/definitions.ts";
import { sharedBreakers } from "../../src/core/recovery/breakerPolicy.ts";
import { task, type AnyTask } from "../../src/core/task.ts";
import { when, type AnySubscription } from "../../src/core/when.ts";

const run = (): void => undefined;
const define = (options: object): AnyTask => task("work", { run, ...options } as never) as unknown as AnyTask;

interface Refusal {
  readonly name: string;
  readonly make: () => unknown;
  readonly code: ErrorCode;
  readonly says: RegExp;
}
const of = (limits: unknown) => () => define({ limits });
const refusals: readonly Refusal[] = [
  { name: "a limit of 0", make: of([{ running: 0 }]), code: "option-invalid", says: /limits\[0\]\.running is 0; give a whole number from 1/ },
  { name: "half a job", make: of([{ running: 1.5 }]), code: "option-invalid", says: /whole number/ },
  { name: "a limit below 0", make: of([{ starts: -1, every: "1s" }]), code: "option-invalid", says: /starts/ },
  { name: "an endless limit", make: of([{ running: Infinity }]), code: "option-invalid", says: /whole number/ },
  { name: "starts without a time", make: of([{ starts: 5 }]), code: "option-invalid", says: /every/ },
  { name: "both kinds in one", make: of([{ running: 1, starts: 5, every: "1s" }]), code: "option-invalid", says: /either/ },
  { name: "a kind and half of the other", make: of([{ running: 1, starts: 5 }]), code: "option-invalid", says: /either/ },
  { name: "a kind and the other's time", make: of([{ running: 1, every: "1s" }]), code: "option-invalid", says: /either/ },
  { name: "neither kind", make: of([{ per: "a" }]), code: "option-invalid", says: /either/ },
  { name: "no time at all", make: of([{ starts: 5, every: "0s" }]), code: "option-invalid", says: /at least 1ms/ },
  { name: "a time that is none", make: of([{ starts: 5, every: "second" }]), code: "option-invalid", says: /duration/ },
  { name: "a misspelt option", make: of([{ runing: 5 }]), code: "option-unknown", says: /did you mean "running"/ },
  { name: "no list", make: of({ running: 5 }), code: "option-invalid", says: /list/ },
  { name: "no field", make: of([{ running: 1, per: [] }]), code: "option-invalid", says: /field/ },
  { name: "exceptions without a key", make: of([{ running: 1, except: { acme: 2 } }]), code: "option-invalid", says: /per/ },
  { name: "exceptions to a key of two fields", make: of([{ running: 1, per: ["a", "b"], except: { acme: 2 } }]), code: "option-invalid", says: /one field/ },
  { name: "an exception below 1", make: of([{ running: 1, per: "a", except: { acme: 0 } }]), code: "option-invalid", says: /except\.acme/ },
  { name: "one limit twice", make: of([{ running: 1 }, { running: 2 }]), code: "definition-invalid", says: /two limits of one kind over all/ },
  {
    name: "one limit per key twice",
    make: of([
      { running: 1, per: "a" },
      { running: 2, per: ["a"] },
    ]),
    code: "definition-invalid",
    says: /two limits of one kind per a/,
  },
  {
    name: "nine limits per key",
    make: of(Array.from({ length: 9 }, (_, n) => ({ starts: 1, every: `${n + 1}s`, per: "a" }))),
    code: "definition-invalid",
    says: /9 limits per key/,
  },
  { name: "a need of 0", make: () => define({ needs: { gpu: 0 } }), code: "option-invalid", says: /needs\.gpu/ },
  { name: "a need without a name", make: () => define({ needs: { "": 1 } }), code: "name-invalid", says: /needs/ },
  { name: "needs as a list", make: () => define({ needs: ["gpu"] }), code: "option-invalid", says: /gpu: 1/ },
  { name: "a resource without a capacity", make: () => resource("gpu", {} as never), code: "option-invalid", says: /capacity/ },
  { name: "a capacity below 0", make: () => resource("gpu", { capacity: -1 }), code: "option-invalid", says: /capacity/ },
  { name: "a resource without a name", make: () => resource(" ", { capacity: 1 }), code: "name-invalid", says: /resource/ },
  {
    name: "a calendar of an unknown zone",
    make: () => resource("gpu", { capacity: 1, calendar: [{ open: "08:00-18:00", zone: "Mars", capacity: 2 }] }),
    code: "zone-unknown",
    says: /Mars/,
  },
  {
    name: "a calendar without a capacity",
    make: () => resource("gpu", { capacity: 1, calendar: [{ open: "08:00-18:00", zone: "UTC" } as never] }),
    code: "option-invalid",
    says: /calendar\[0\]\.capacity/,
  },
  { name: "a dependency without a breaker", make: () => define({ dependsOn: "mail-api", breaker: false }), code: "definition-invalid", says: /mail-api/ },
  { name: "a dependency without a name", make: () => define({ dependsOn: "" }), code: "name-invalid", says: /dependsOn/ },
  { name: "a breaker that is just true", make: () => define({ breaker: true }), code: "option-invalid", says: /on without/ },
  { name: "a breaker for one job", make: () => define({ breaker: { failing: 1 } }), code: "option-invalid", says: /failing/ },
  {
    name: "a breaker that waits for more than it looks at",
    make: () => define({ breaker: { failing: 30 } }),
    code: "definition-invalid",
    says: /30 failing of 20/,
  },
  { name: "a misspelt option of a breaker", make: () => define({ breaker: { fails: 3 } }), code: "option-unknown", says: /failing/ },
];

for (const { name, make, code, says } of refusals) {
  test(`${name}: refused as ${code}, with the cure`, () => {
    assert.throws(make, (error) => ErrandError.is(error, code) && says.test(error.message));
  });
}

test("limits over all jobs are gates of the task, each with a name of its own", () => {
  const { policy } = define({ limits: [{ running: 50 }, { starts: 200, every: "1s" }, { starts: 900, every: "1m" }, { running: 1, per: "a" }] });
  assert.deepEqual(policy.gates, [
    { name: "task/work/running", limit: { running: 50 } },
    { name: "task/work/starts-in-1000ms", limit: { starts: 200, everyMs: 1_000 } },
    { name: "task/work/starts-in-60000ms", limit: { starts: 900, everyMs: 60_000 } },
  ]);
});

test("limits per key are data: scope, fields and numbers, with other numbers for single values", () => {
  const { policy } = define({
    limits: [
      { running: 2, per: "tenant", except: { acme: 20 } },
      { starts: 5, every: "1m", per: ["tenant", "kind"] },
    ],
  });
  const limits = policy.keyLimits ?? [];
  const keysOf = (payload: unknown): unknown => limits.map((limit) => keyLimitOf(limit, payload));
  assert.deepEqual(keysOf({ tenant: "acme", kind: 7 }), [
    { key: 'work/running/tenant["acme"]', is: { running: 20 } },
    { key: 'work/starts-in-60000ms/tenant,kind["acme",7]', is: { starts: 5, everyMs: 60_000 } },
  ]);
  assert.deepEqual(keysOf({ tenant: "toString", kind: true }), [
    { key: 'work/running/tenant["toString"]', is: { running: 2 } },
    { key: 'work/starts-in-60000ms/tenant,kind["toString",true]', is: { starts: 5, everyMs: 60_000 } },
  ]);
});

test("a subscription carries its task's limits per key, so that a publisher without the code keeps them", () => {
  const placed = event<{ tenant: string }>("placed");
  const work = task<{ tenant: string }>("work", { run, limits: [{ running: 2, per: "tenant" }, { running: 9 }] });
  const { stored } = when(placed, work) as AnySubscription;
  assert.deepEqual(stored.keyLimits, [{ scope: "work/running/tenant", per: ["tenant"], is: { running: 2 } }]);
});

test("each task has a breaker of its own, tasks of one dependency share one, and it may be left out", () => {
  assert.equal(define({}).policy.breaker?.name, "task/work");
  assert.equal(define({ dependsOn: "mail-api" }).policy.breaker?.name, "dependency/mail-api");
  assert.equal(define({ breaker: false }).policy.breaker, undefined);
  assert.deepEqual(define({ breaker: { failing: 3, of: 5, within: "10s" } }).policy.breaker, {
    name: "task/work",
    failing: 3,
    of: 5,
    withinMs: 10_000,
    isRated: false,
    isGiven: true,
  });
});

test("tasks of one dependency take the options of the one that gives some, whichever comes first; two may give the same", () => {
  const of = (name: string, breaker?: object): AnyTask => task(name, { run, dependsOn: "mail-api", ...(breaker && { breaker }) }) as unknown as AnyTask;
  const given = { failing: 3, of: 5, within: "2s" };
  for (const tasks of [
    [of("a"), of("b", given)],
    [of("b", given), of("a")],
    [of("b", given), of("c", given), of("a")],
  ]) {
    const { failing, of: all, withinMs } = sharedBreakers(tasks).get("dependency/mail-api") ?? {};
    assert.deepEqual([failing, all, withinMs], [3, 5, 2_000]);
  }
  for (const other of [
    { ...given, failing: 4 },
    { ...given, of: 6 },
    { ...given, within: "3s" },
  ])
    assert.throws(
      () => new Definitions([{ a: of("a"), b: of("b", given), c: of("c", other) }]),
      (error) => ErrandError.is(error, "definition-invalid") && /same dependsOn/.test(error.message),
    );
});
