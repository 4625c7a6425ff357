/** What is done to a server, whichever it is. */
import { machineMs } from "../../../src/runtime/machineClock.ts";
import { sleep } from "../../../src/verify/sleep.ts";
import type { Disturbance } from "../stage.ts";

interface Killable {
  kill(): Promise<unknown>;
  start(): Promise<unknown>;
}

/** Killed with SIGKILL, and back within 2 s or so. */
export function crashOf(server: Killable): Disturbance {
  return {
    kind: "crash",
    make: async (chance) => {
      const from = machineMs();
      await server.kill();
      await sleep(chance.between(0, 2_000));
      await server.start();
      return { from, to: machineMs() };
    },
  };
}
