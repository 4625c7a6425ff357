/** enqueue: jobs, events, notes, subscriptions. */
import type { Atom, Enqueued, NewJob } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { scheduleKey, subscriptionKey } from "../../src/core/notes.ts";
import { isRefusal } from "./compare.ts";
import type { AtomPlan, Command, NotePlan } from "./commands.ts";
import { must, mustEqual } from "./divergence.ts";
import { at, isOneMore, limitNote, newEvent, pauses, plainNotes, storedSubscription, subscriptionName } from "./plans.ts";
import type { View } from "./view.ts";
import { newJobs, newJoin, newStage, openTo } from "./works.ts";
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

export async function performStage(world: World, command: Of<"stage">): Promise<void> {
  const staged = openTo(world).filter((join) => !join.isSealed);
  const join = staged[command.join % Math.max(staged.length, 1)];
  if (join !== undefined) await enqueue(world, [{ works: newStage(world, join, command) }]);
}

/** One of the last atoms; what was born leased asks for no lease again. */
export async function performAgain(world: World, command: Of<"again">): Promise<void> {
  const atom = world.sent.at(-1 - (command.pick % Math.max(world.sent.length, 1)));
  if (atom === undefined || atom.works.some((work) => world.model.state.gone.some((gone) => gone.id === work.id))) return;
  const works = atom.works.map((work) => {
    if (work.kind !== "job") return work;
    const { lease: _, ...free } = work;
    return free;
  });
  await enqueue(world, [{ ...atom, works }]);
}

export async function performLimit(world: World, command: Of<"limit">): Promise<void> {
  world.hasGates = true;
  return enqueue(world, [{ works: [], notes: [limitNote(command.what, command.number)] }]);
}

/** The jobs of a schedule's next slots in one atom with its cursor (G12): who read an older cursor stores nothing. */
export async function performTick(world: World, command: Of<"tick">): Promise<void> {
  const name = `schedule-${command.schedule}`;
  const note = world.model.readNote(scheduleKey(name));
  const cursor = note === undefined ? 0 : (JSON.parse(note.value) as number);
  const version = note?.version ?? 0;
  const from = command.isLate ? Math.max(cursor - command.slots, 0) : cursor;
  const slots = Array.from({ length: command.slots }, (_, index) => from + 1 + index);
  const works = slots.map((slot) => slotJob(name, slot));
  const write = { key: scheduleKey(name), value: JSON.stringify(from + slots.length), ifVersion: command.isLate ? Math.max(version - 1, 0) : version };
  await enqueue(world, [{ works, notes: [write] }]);
}

function slotJob(schedule: string, slot: number): NewJob {
  const keep = { completed: 0, skipped: 0, cancelled: 0, dead: 0 };
  return {
    ...{ kind: "job", id: `${schedule}-${slot}`, content: "", rememberMs: 0, task: "t3", queue: "q1", payload: "{}", headStartMs: 0, keep },
    slot: { schedule, at: slot },
  };
}

export async function enqueue(world: World, atoms: readonly Atom[]): Promise<void> {
  world.sent.push(...atoms);
  const answers = await world.call("enqueue", atoms, () => world.engine.enqueue(atoms, { now: world.now }));
  const view = await world.look();
  const expected = world.model.enqueue(atoms, world.now, (atom) => world.storing(view, atoms[atom]?.works, answers[atom]));
  must(answers.length === expected.length, `enqueue answered ${answers.length} atoms of ${expected.length}`);
  for (const [index, answer] of answers.entries()) compareAtom(world, view, answer, expected[index] ?? [], atoms[index], index === atoms.length - 1);
  for (const [index, answer] of answers.entries()) if (!(answer instanceof ErrandError)) takeLeases(world, atoms[index], answer);
  world.check(view, "enqueue", ["enqueue"]);
}

function takeLeases(world: World, atom: Atom | undefined, answers: readonly Enqueued[]): void {
  for (const [index, { id, leased }] of answers.entries()) {
    const work = atom?.works[index];
    if (leased === undefined || work?.kind !== "job" || work.lease === undefined) continue;
    world.takeFence(work.lease.process, leased.fence, work.lease.lastFence);
    world.formerClaims.push({ id, claim: work.lease.claim, fence: leased.fence });
  }
  world.model.state.fence = Math.max(world.model.state.fence, ...answers.map(({ leased }) => leased?.fence ?? 0));
}

function compareAtom(
  world: World,
  view: View,
  got: Enqueued[] | ErrandError,
  expected: Enqueued[] | ErrandError,
  atom: Atom | undefined,
  isLast: boolean,
): void {
  const codeOf = (answer: Enqueued[] | ErrandError): string => (answer instanceof ErrandError ? answer.code : "stored");
  const isLarge = (atom?.works.length ?? 0) + (atom?.notes?.length ?? 0) > 1;
  if (got instanceof ErrandError && expected instanceof ErrandError && isLarge && isRefusal(got)) return;
  mustEqual("the answer to an atom", codeOf(got), codeOf(expected));
  if (got instanceof ErrandError || expected instanceof ErrandError) return;
  must(got.length === expected.length, `an atom of ${expected.length} works has ${got.length} answers`);
  for (const [index, answer] of got.entries()) compareWork(world, view, answer, expected[index] ?? answer, isLast);
}

/** Who of several had room first shows in the last atom only: until then others may have made some. */
function compareWork(world: World, view: View, got: Enqueued, expected: Enqueued, isLast: boolean): void {
  mustEqual(`whether ${expected.id} is leased`, got.leased?.now, expected.leased?.now);
  const isOther = got.isDuplicate && expected.isDuplicate && bothWait(got.id, expected.id, view);
  mustEqual(
    `the answer for ${expected.id}`,
    { id: isOther ? expected.id : got.id, isDuplicate: got.isDuplicate },
    { id: expected.id, isDuplicate: expected.isDuplicate },
  );
  if (!isLast && view.byId.get(got.id)?.keyLimits !== undefined) return;
  must(world.isState(got.id, got.state, expected.state, view), `${got.id} is answered ${got.state}, expected ${expected.state}`);
}

/** After a crash two jobs of one one-more key may wait: either is the winner. */
function bothWait(got: string, expected: string, view: View): boolean {
  const [one, other] = [view.byId.get(got), view.byId.get(expected)];
  return one?.unique !== undefined && one.unique === other?.unique && isOneMore(one.unique) && one.state !== "running";
}

function atomOf(world: World, plan: AtomPlan): Atom {
  const joins = (plan.joins ?? []).flatMap((join) => newJoin(world, join));
  const jobs = newJobs(world, plan.jobs, openTo(world));
  const events = (plan.events ?? []).map((event) => newEvent(event, world.fresh("e")));
  const notes = (plan.notes ?? []).map((note) => noteOf(world, note));
  return { works: [...joins, ...jobs, ...events], ...(notes.length > 0 && { notes }) };
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
