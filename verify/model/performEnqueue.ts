/** enqueue: jobs, events, notes, subscriptions. */
import type { Atom, Enqueued } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { AtomPlan, Command, NotePlan } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { at, isOneMore, newEvent, newJobs, pauses, plainNotes, storedSubscription, subscriptionName } from "./plans.ts";
import type { View } from "./view.ts";
import type { World } from "./world.ts";

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

export async function performEnqueue(world: World, command: Of<"enqueue">): Promise<void> {
  return enqueue(
    world,
    command.atoms.map((atom) => atomOf(world, atom)),
  );
}

export async function performNote(world: World, command: Of<"pause" | "resume">): Promise<void> {
  const value = command.do === "pause" ? JSON.stringify({ by: "test", reason: "none" }) : undefined;
  return enqueue(world, [{ works: [], notes: [{ key: at(pauses, command.what), value }] }]);
}

export async function performSubscription(world: World, command: Of<"subscribe" | "unsubscribe">): Promise<void> {
  const key = subscriptionKey(subscriptionName(command.subscription));
  const value = command.do === "subscribe" ? JSON.stringify(storedSubscription(command.subscription, command.variant)) : undefined;
  return enqueue(world, [{ works: [], notes: [{ key, value }] }]);
}

async function enqueue(world: World, atoms: readonly Atom[]): Promise<void> {
  const answers = await world.call("enqueue", atoms, () => world.engine.enqueue(atoms, { now: world.now }));
  const view = await world.look();
  const expected = world.model.enqueue(atoms, world.now);
  must(answers.length === expected.length, `enqueue answered ${answers.length} atoms of ${expected.length}`);
  for (const [index, answer] of answers.entries()) compareAtom(world, view, answer, expected[index] ?? []);
  world.check(view, "enqueue", ["enqueue"]);
}

function compareAtom(world: World, view: View, got: Enqueued[] | ErrandError, expected: Enqueued[] | ErrandError): void {
  const codeOf = (answer: Enqueued[] | ErrandError): string => (answer instanceof ErrandError ? answer.code : "stored");
  mustEqual("the answer to an atom", codeOf(got), codeOf(expected));
  if (got instanceof ErrandError || expected instanceof ErrandError) return;
  must(got.length === expected.length, `an atom of ${expected.length} works has ${got.length} answers`);
  for (const [index, answer] of got.entries()) compareWork(world, view, answer, expected[index] ?? answer);
}

function compareWork(world: World, view: View, got: Enqueued, expected: Enqueued): void {
  const isOther = got.isDuplicate && expected.isDuplicate && bothWait(got.id, expected.id, view);
  mustEqual(
    `the answer for ${expected.id}`,
    { id: isOther ? expected.id : got.id, isDuplicate: got.isDuplicate },
    { id: expected.id, isDuplicate: expected.isDuplicate },
  );
  must(world.isState(got.id, got.state, expected.state, view), `${got.id} is answered ${got.state}, expected ${expected.state}`);
}

/** After a crash two jobs of one one-more key may wait: either is the winner. */
function bothWait(got: string, expected: string, view: View): boolean {
  const [one, other] = [view.byId.get(got), view.byId.get(expected)];
  return one?.unique !== undefined && one.unique === other?.unique && isOneMore(one.unique) && one.state !== "running";
}

function atomOf(world: World, plan: AtomPlan): Atom {
  const jobs = newJobs(plan.jobs, () => world.fresh("j"), world.now);
  const events = (plan.events ?? []).map((event) => newEvent(event, world.fresh("e")));
  const notes = (plan.notes ?? []).map((note) => noteOf(world, note));
  return { works: [...jobs, ...events], ...(notes.length > 0 && { notes }) };
}

function noteOf(world: World, plan: NotePlan): NonNullable<Atom["notes"]>[number] {
  const key = at(plainNotes, plan.note);
  const version = world.model.readNote(key)?.version ?? 0;
  return {
    key,
    value: plan.isDeleted ? undefined : JSON.stringify({ written: world.fresh("n") }),
    ...(plan.ifVersion !== undefined && { ifVersion: plan.ifVersion === "right" ? version : plan.ifVersion }),
  };
}
