/** Performs one command on engine and model and holds the answers against each other. */
import type { Command } from "./commands.ts";
import { performChange } from "./performChange.ts";
import { performClaim, performSettle } from "./performRuns.ts";
import { performBeat, performCrash, performCrashLoop, performPassDays, performTidy } from "./performTime.ts";
import { performFind, performPage, performReadNote } from "./performLooks.ts";
import { performLock, performUnlock } from "./performLocks.ts";
import { performAgain, performEnqueue, performLimit, performNote, performStage, performSubscription, performTick } from "./performEnqueue.ts";
import type { World } from "./world.ts";

export async function perform(world: World, command: Command): Promise<void> {
  switch (command.do) {
    case "enqueue":
      return performEnqueue(world, command);
    case "stage":
      return performStage(world, command);
    case "again":
      return performAgain(world, command);
    case "limit":
      return performLimit(world, command);
    case "tick":
      return performTick(world, command);
    case "pause":
    case "resume":
      return performNote(world, command);
    case "subscribe":
    case "unsubscribe":
      return performSubscription(world, command);
    case "claim":
      return performClaim(world, command);
    case "settle":
      return performSettle(world, command);
    case "beat":
      return performBeat(world, command.worker);
    case "crash":
      return performCrash(world, command);
    case "crashLoop":
      return performCrashLoop(world, command);
    case "tidy":
      return performTidy(world, command);
    case "cancel":
    case "retry":
    case "delete":
    case "prioritise":
      return performChange(world, command);
    case "lock":
      return performLock(world, command);
    case "unlock":
      return performUnlock(world, command);
    case "find":
      return performFind(world, command);
    case "page":
      return performPage(world, command);
    case "readNote":
      return performReadNote(world, command);
    case "handle":
      return world.takeHandle(command.handle, command.isFresh ?? false);
    case "passDays":
      return performPassDays(world);
    case "pass":
      world.now += command.ms;
  }
}

/** Undefined: engine and model agree to the end. */
export async function performAll(world: World, commands: readonly Command[]): Promise<void> {
  for (const command of commands) {
    world.log?.push(JSON.stringify(command));
    await perform(world, command);
  }
}
