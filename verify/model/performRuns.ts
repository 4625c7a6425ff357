/** claim and settle. */
import type { Claim, Claimed, ClaimedJob, Outcome, Settled } from "../../src/core/engine.ts";
import type { Command, OutcomePlan } from "./commands.ts";
import { isRefusal } from "./compare.ts";
import { must, mustEqual } from "./divergence.ts";
import type { NextDue } from "./claiming.ts";
import { membersOf } from "./lanes.ts";
import type { ModelClaimed } from "./model.ts";
import { laneWidth, leaseMs, queues, tasks, termsOf } from "./plans.ts";
import { jobWithId } from "./state.ts";
import type { View } from "./view.ts";
import { newFollow } from "./works.ts";
import type { FormerClaim, World } from "./world.ts";

type Of<Do extends Command["do"]> = Extract<Command, { do: Do }>;

export async function performClaim(world: World, command: Of<"claim">): Promise<void> {
  return claim(world, claimOf(world, command));
}

export async function performSettle(world: World, command: Of<"settle">): Promise<void> {
  const outcomes = outcomesOf(world, command.outcomes);
  if (outcomes.length === 0) return;
  const answers = await world.call("settle", outcomes, () => world.engine.settle(outcomes, { now: world.now }));
  const view = await world.look();
  compareSettled(world, view, outcomes, answers, world.model.settle(outcomes, world.now, world.told(view, 0)));
  world.check(view, "settle", ["settle", "enqueue"]);
}

export async function claim(world: World, wanted: Claim): Promise<void> {
  const answer = await world.call("claim", wanted, () => world.engine.claim(wanted, { now: world.now }));
  const view = await world.look();
  world.takeFence(wanted.process, answer.fence, wanted.lastFence);
  const handed = answer.jobs.map((job) => job.id);
  const expected = world.model.claim(wanted, world.now, world.told(view, answer.fence, handed));
  compareSettled(world, view, wanted.settling, answer.settled, expected.settled);
  compareClaimed(answer, expected, wanted);
  if (answer.jobs.length > 0) world.model.state.fence = answer.fence;
  for (const job of answer.jobs) world.formerClaims.push({ id: job.id, claim: wanted.claim, fence: answer.fence });
  world.check(view, "claim", wanted.settling.length > 0 ? ["claim", "settle", "enqueue"] : ["claim"], wanted.process);
}

export function claimOf(world: World, command: Omit<Of<"claim">, "do">): Claim {
  if (command.terms !== undefined) world.hasGates = true;
  const process = world.livingWorker(command.worker);
  const terms = command.terms === undefined ? undefined : termsOf(command.terms, world.now);
  // What a turn of fresh work means over several queues, of which some have no place left, is nobody's.
  const isOne = Object.values(terms ?? {}).some(({ freshFrom }) => freshFrom !== undefined);
  const plans = isOne && command.q1 !== undefined ? [command.q1] : [command.q1, command.q2];
  return {
    process,
    leaseMs,
    claim: world.fresh("c"),
    lastFence: command.lastFenceAheadMs === undefined ? world.lastFence(process) : (world.now + command.lastFenceAheadMs) * 1_000,
    // Who asks for one job to run alone has a hand for it.
    queues: queues.flatMap((queue, index) => {
      const plan = plans[index];
      return plan === undefined ? [] : [{ queue, ...plan, ...(command.isAlone && { slots: 1 }) }];
    }),
    tasks: command.tasks === undefined ? tasks : tasks.filter((_, index) => command.tasks?.includes(index)),
    alone: command.isAlone ? "only" : "no",
    settling: outcomesOf(world, command.settling ?? []),
    ...(terms && { terms }),
    ...(command.inRow !== undefined && { inRow: command.inRow }),
  };
}

/** Order is exact within a queue; which queue comes first is the engine's. */
function compareClaimed(got: Claimed, expected: ModelClaimed, wanted: Claim): void {
  must(got.jobs.length === new Set(got.jobs.map((job) => job.id)).size, "one claim handed out a job twice");
  for (const queue of queues) {
    const of = (jobs: readonly ClaimedJob[]): ClaimedJob[] => jobs.filter((job) => job.queue === queue);
    mustEqual(
      `the claimed jobs of ${queue}, in order`,
      of(got.jobs).map((job) => job.id),
      of(expected.jobs).map((job) => job.id),
    );
    for (const [index, job] of of(got.jobs).entries())
      mustEqual(
        `claimed job ${job.id}`,
        { ...job, isCancelled: job.isCancelled ?? false, isOrdered: true },
        { ...of(expected.jobs)[index], isCancelled: false, isOrdered: true },
      );
  }
  for (const job of got.jobs) compareIsOrdered(job, expected);
  compareNextDue(got.nextDueMs, expected.nextDue);
  if (wanted.queues.every((queue) => queue.slots > 0)) mustEqual("hasSuspects", got.hasSuspects, expected.hasSuspects);
}

/** Never later than what must be told, and never a time at which nothing can come. */
function compareNextDue(got: number | undefined, { must: due, may }: NextDue): void {
  const latest = due.length === 0 ? undefined : Math.min(...due);
  const isKnown = got === undefined ? latest === undefined : may.includes(got) && got <= (latest ?? got);
  must(isKnown, `nextDueMs ${got}, expected ${latest} or sooner, of ${may.join(", ")}`);
}

/** A lane wider than one keeps no order: either word is true of its members. */
function compareIsOrdered(job: ClaimedJob, expected: ModelClaimed): void {
  const isMember = expected.jobs.find((other) => other.id === job.id)?.isOrdered ?? false;
  must(job.isOrdered === isMember || (isMember && laneWidth("park-2") > 1), `${job.id} isOrdered ${job.isOrdered}`);
}

function compareSettled(world: World, view: View, outcomes: readonly Outcome[], got: readonly Settled[], expected: readonly Settled[]): void {
  must(got.length === expected.length, `${expected.length} outcomes have ${got.length} answers`);
  for (const [index, answer] of got.entries()) {
    const said = expected[index] ?? answer;
    mustEqual(
      `outcome ${index + 1}`,
      { id: answer.id, is: answer.is, error: codeOf(answer, outcomes[index]) },
      { id: said.id, is: said.is, error: codeOf(said, outcomes[index]) },
    );
    must(world.isState(answer.id, answer.state, said.state, view), `outcome ${index + 1}: ${answer.id} is answered ${answer.state}, expected ${said.state}`);
  }
}

function codeOf({ error }: Settled, outcome: Outcome | undefined): string | undefined {
  const isLarge = (outcome?.follow?.length ?? 0) > 1;
  return error && isLarge && isRefusal(error) ? "refused" : error?.code;
}

/** Where nothing runs, only the outcomes that are wrong on purpose. */
function outcomesOf(world: World, plans: readonly OutcomePlan[]): Outcome[] {
  const isAny = world.running().length > 0;
  return plans.filter((plan) => isAny || plan.of !== "running").map((plan) => outcomeOf(world, plan));
}

function outcomeOf(world: World, wanted: OutcomePlan): Outcome {
  const target = targetOf(world, wanted);
  const plan = wanted.is === "dead" && isBehindRunning(world, target.id) ? { ...wanted, is: "released" as const } : wanted;
  const hasReason = plan.is === "skipped" || plan.is === "snoozed" || plan.is === "dead";
  const mayFollow = plan.is === "completed" || plan.is === "skipped" || plan.is === "retry" || plan.is === "snoozed";
  return {
    ...target,
    is: plan.is,
    ranMs: 7,
    ...(hasReason && { reason: `${plan.is} by test` }),
    ...((plan.is === "retry" || plan.is === "dead") && { error: { name: "Error", message: "by test" } }),
    ...((plan.is === "retry" || plan.is === "snoozed") && { delayMs: plan.delayMs ?? 100 }),
    ...(plan.hasCheckpoint && { checkpoint: JSON.stringify(world.fresh("checkpoint")) }),
    ...(plan.is === "completed" && plan.hasCheckpoint && { result: JSON.stringify("done") }),
    ...(plan.is === "dead" && plan.isPoison && { isPoison: true }),
    ...(mayFollow && plan.follow && { follow: newFollow(world, plan.follow, target.id) }),
  };
}

/** One of a row is not started before those ahead of it have ended: in a lane that blocks, what its death would mean for them is nobody's. */
function isBehindRunning(world: World, id: string): boolean {
  const { lane, seq = 0 } = jobWithId(world.model.state, id) ?? {};
  return lane?.ifDead === "block" && lane.width === 1 && membersOf(world.model.state, lane.key).some((other) => other.seq < seq);
}

function targetOf(world: World, plan: OutcomePlan): FormerClaim {
  const running = world.running();
  const job = running[plan.pick % Math.max(running.length, 1)];
  const former = world.formerClaims[plan.pick % Math.max(world.formerClaims.length, 1)];
  const held: FormerClaim = { id: job?.id ?? "nobody", claim: job?.claim?.claim ?? "none", fence: job?.claim?.fence ?? 1 };
  if (plan.of === "former") return former ?? held;
  if (plan.of === "wrong-fence") return { ...held, fence: held.fence - 1 };
  if (plan.of === "wrong-claim") return { ...held, claim: "somebody-else" };
  return plan.of === "unknown" ? { ...held, id: "nobody" } : held;
}
