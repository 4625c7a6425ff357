/** Starts another process in the place of each that ended by itself, as whoever looks after a service does. */
import type { Fleet } from "../../src/verify/faults/fleet.ts";
import { sleep } from "../../src/verify/sleep.ts";

const lookEveryMs = 100;

/** Until the signal. Resolves when those that were being replaced work. */
export async function keep(fleet: Fleet, signal: AbortSignal): Promise<void> {
  const replacing = new Map<number, Promise<void>>();
  while (!signal.aborted) {
    for (const [place, member] of fleet.members.entries()) {
      if (!member.isOver || member.isTroubled || member.job !== "worker" || replacing.has(place)) continue;
      member.isTroubled = true;
      replacing.set(
        place,
        fleet.replace(place).finally(() => replacing.delete(place)),
      );
    }
    await Promise.race([sleep(lookEveryMs, signal).catch(() => undefined), failing(replacing)]);
  }
  await Promise.all(replacing.values());
}

/** Rejects when one of them could not be replaced. */
function failing(replacing: ReadonlyMap<number, Promise<void>>): Promise<never> {
  const failed = Promise.withResolvers<never>();
  for (const one of replacing.values()) one.catch((error: unknown) => failed.reject(error));
  return failed.promise;
}
