/** The colour of a job's state. */
import type { JobState } from "../index.ts";
import type { Style } from "./output.ts";

const styles: Readonly<Partial<Record<JobState, Style>>> = {
  dead: "red",
  parked: "red",
  completed: "green",
  running: "cyan",
  scheduled: "yellow",
  blocked: "yellow",
};

export function styleOfState(state: JobState): Style | undefined {
  return styles[state];
}
