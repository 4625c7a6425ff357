/** Bugs at the port: an engine that answers or keeps otherwise than it should, whatever is behind it. They are those of the laws, the model and the simulator, by name. */
import type { Planted } from "./plant.ts";

const ofPort = (name: string, port: string, breaks: string, area: Planted["area"] = "port", engine: Planted["engine"] = "memory"): Planted => ({
  name,
  what: port,
  breaks,
  area,
  engine,
  port,
});

export const portBugs: readonly Planted[] = [
  ofPort("acknowledged-not-stored", "every tenth job is acknowledged and not stored", "G1"),
  ofPort("atoms-torn", "an atom falls apart", "G2"),
  ofPort("completion-not-written", "a completion is answered as settled and not written", "G3"),
  ofPort("zombie-settles", "a lease that was lost settles all the same", "G4"),
  ofPort("fence-stands-still", "fences stand still", "G4"),
  ofPort("handed-out-twice", "a job is handed out twice", "G5"),
  ofPort("unique-key-open", "unique keys do not hold", "G6"),
  ofPort("lane-too-wide", "two of a key run at once", "G7"),
  ofPort("priority-ignored", "urgency is ignored", "G8"),
  ofPort("gate-one-more", "a gate lets one more through", "G9"),
  ofPort("subscription-passed-over", "fan-out passes one subscription over", "G10"),
  ofPort("staged-batch-open", "a staged join is open from the start", "G11"),
  ofPort("cursor-unchecked", "a slot is enqueued by one who read an old cursor", "G12", "schedules"),
  ofPort("suspects-not-alone", "twice suspect jobs never get their run alone", "G13"),
  ofPort("skip-as-completion", "a skip is a completion", "G14"),
  ofPort("commit-without-fence", "a completion in a transaction has no fence", "G15", "port", "sqlite"),
  ofPort("two-writers", "a lock has two writers", "G17", "locks"),
  ofPort("nul-cut", "a text ends at its first NUL", "G18"),
  ofPort("dead-keep-jobs", "dead workers' jobs are never taken back", "G20"),
  ofPort("callers-clock", "the store believes the caller's clock", "G21"),
  ofPort("unknown-handed-out", "jobs of unknown tasks are handed out", "G22"),
  ofPort("cancel-forgotten", "a cancel of a running job is forgotten", "G3"),
];
