/** beat, crash and tidy: what only time brings. */
import type { Tidied, Tidy } from "../../src/core/engine.ts";
import { eventsKeptMs } from "../../src/core/defaults.ts";
import type { Instant } from "../../src/core/runtime.ts";
import type { Command } from "./commands.ts";
import { Divergence, must, mustEqual } from "./divergence.ts";
import { leaseMs } from "./plans.ts";
import { claim, claimOf } from "./performRuns.ts";
import { modelName } from "./modelEngine.ts";
import { copyOf, processNamed } from "./state.ts";
import { tidyOrders, untilOf } from "./tidying.ts";
import type { View } from "./view.ts";
import type { World } from "./world.ts";

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

const passesMax = 500;

export async function performBeat(world: World, slot: number): Promise<void> {
  const process = world.worker(slot);
  const heard = await world.call("beat", process, () => world.engine.beat(process, leaseMs, { now: world.now }));
  const view = await world.look();
  const holds = world.running().some((job) => job.claim?.process === process);
  const known = processNamed(world.model.state, process);
  if (known?.isLost || holds) must(heard.isLost === (known?.isLost ?? false), `beat of ${process} hears isLost ${heard.isLost}`);
  if (heard.isLost) {
    world.renew(slot);
  } else {
    const expected = world.model.beat(process, leaseMs, world.now);
    mustEqual(`the cancels that ${process} hears`, heard.cancelled.toSorted(), expected.cancelled.toSorted());
  }
  checkHeard(world, heard.notesVersion, heard.era);
  world.check(view, "beat", []);
}

export async function performCrash(world: World, command: Of<"crash">): Promise<void> {
  world.renew(command.worker);
  if (!command.isTakenBack) return;
  world.now += leaseMs + 97;
  await tidy(world, { items: 1_000, mayExpire: true });
}

export async function performCrashLoop(world: World, command: Of<"crashLoop">): Promise<void> {
  for (let time = 0; time < command.times; time++) {
    const hands = { worker: command.worker, q1: { slots: 2, ahead: 0 }, q2: { slots: 2, ahead: 0 } };
    await claim(world, claimOf(world, hands));
    await claim(world, claimOf(world, { ...hands, isAlone: true }));
    await performCrash(world, { do: "crash", worker: command.worker, isTakenBack: true });
  }
}

export async function performTidy(world: World, command: Of<"tidy">): Promise<void> {
  const { items, mayExpire, overdueMs = 0 } = command;
  return tidy(world, { items, mayExpire, expireUntil: world.now - overdueMs });
}

/** History is replayed before it is forgotten: which of both one pass does first is free. */
export async function performPassDays(world: World): Promise<void> {
  await tidy(world, { items: 1_000, mayExpire: false });
  // For how long a store remembers that a process lost everything is its own.
  for (const slot of [0, 1, 2]) world.renew(slot);
  world.now += eventsKeptMs + 3_600_000;
  await tidy(world, { items: 1_000, mayExpire: true });
}

/** Bounded passes until nothing is left. Their order is the engine's; what stands at the end is not. */
async function tidy(world: World, pass: Tidy): Promise<void> {
  const passes: { readonly did: Tidied; readonly after: View }[] = [];
  let hasMore = true;
  while (hasMore) {
    must(passes.length < passesMax, `tidy still has more after ${passesMax} passes`);
    const did = await world.call("tidy", pass, () => world.engine.tidy(pass, { now: world.now }));
    const after = await world.look();
    passes.push({ did, after });
    if (world.engine.name !== modelName) checkCounted(did, pass.items, passes.at(-2)?.after ?? world.view, after, world.model.state.replays.length > 0);
    hasMore = did.hasMore;
  }
  const view = passes.at(-1)?.after ?? world.view;
  tidyModel(world, view, untilOf(pass, world.now));
}

/** The order of steps is free: one of them must lead to all that the engine shows. */
function tidyModel(world: World, view: View, until: Instant | undefined): void {
  const before = copyOf(world.model.state);
  let first: unknown;
  for (const order of tidyOrders) {
    world.model.state = copyOf(before);
    try {
      world.model.tidy(until, world.now, world.told(view, 0), order);
      return world.check(view, "tidy", ["tidy", "enqueue"]);
    } catch (error) {
      if (!(error instanceof Divergence)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** What a pass says it did is what changed, and no more than it was allowed. */
function checkCounted(did: Tidied, items: number, before: View, after: View, isReplaying: boolean): void {
  const moves = after.jobs.flatMap((job) => {
    const was = before.byId.get(job.id);
    return was === undefined ? [] : [{ from: was.state, to: job.state, was, job }];
  });
  const gone = before.jobs.filter((job) => !after.byId.has(job.id));
  const back = moves.filter((move) => move.from === "running" && move.to !== "running");
  // A job may move on within the pass, and end and be purged in it: then the count is the larger.
  const atLeast = (what: string, counted: number, seen: number): void => must(counted >= seen, `tidy counts ${counted} ${what}, but ${seen} were seen`);
  // A replayed event may replace a scheduled job and make it ready: that is no promotion.
  if (!isReplaying) atLeast("promoted", did.promoted, moves.filter((move) => move.from === "scheduled" && move.to === "ready").length);
  atLeast("skipped", did.skipped, moves.filter((move) => (move.from === "scheduled" || move.from === "ready") && move.to === "skipped").length);
  atLeast("taken back", did.takenBack, back.length);
  atLeast("quarantined", did.quarantined, back.filter((move) => move.to === "dead" || (move.to === "parked" && move.job.isPoison)).length);
  atLeast("purged", did.purged, gone.length);
  // Those that are late behind one that was skipped are skipped with it.
  for (const [what, counted] of Object.entries({
    promoted: did.promoted,
    takenBack: did.takenBack,
    parked: did.parked,
    replayed: did.replayed,
  })) {
    must(counted <= items, `tidy of at most ${items} counts ${counted} ${what}`);
  }
}

function checkHeard(world: World, notesVersion: number, era: string): void {
  world.era ??= era;
  mustEqual("the era", era, world.era);
  const hasWritten = world.model.state.notesWritten > world.notesWrittenThen;
  if (world.notesVersion >= 0)
    must(hasWritten ? notesVersion > world.notesVersion : notesVersion >= world.notesVersion, `notesVersion ${notesVersion} after ${world.notesVersion}`);
  world.notesVersion = notesVersion;
  world.notesWrittenThen = world.model.state.notesWritten;
}
