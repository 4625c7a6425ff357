/** Many segments of the stream, several at a time; the first that differs is shrunk and told so that a person can replay it. */
import { inspect as inspectAll } from "node:util";
import type { EngineUnderTest } from "../model/campaign.ts";
import type { Command } from "../model/commands.ts";
import { Divergence } from "../model/divergence.ts";
import { perform } from "../model/perform.ts";
import { shrink } from "../model/shrink.ts";
import type { Store } from "../model/world.ts";
import { isAtRest, narrowed } from "./partitions.ts";
import { segmentOf } from "./segment.ts";
import { StreamWorld } from "./streamWorld.ts";
import { Stream, Together } from "./together.ts";

export interface Campaign {
  readonly segments: number;
  readonly seed: number;
  readonly chapters: number;
  readonly commandsMax: number;
  /** All that is stored is compared after so many commands, and at the end of a segment. */
  readonly compareEvery: number;
  /** So many at once: while one waits for a server, others go on. */
  readonly atOnce: number;
  readonly shrinkMs: number;
}

export interface Done {
  readonly segments: number;
  /** Verbs that all engines and the model were asked. */
  readonly operations: number;
  /** What was compared of all that is stored. */
  readonly states: number;
}

export interface Found {
  readonly seed: number;
  readonly commands: readonly Command[];
  /** What was told before anything was left out. */
  readonly first?: unknown;
}

/** `found`: the shortest commands that show the first difference. */
export async function compareEngines(engines: readonly EngineUnderTest[], campaign: Campaign): Promise<Done & { readonly found?: Found }> {
  const done = { segments: 0, operations: 0, states: 0 };
  let next = 0;
  let found: Found | undefined;
  const goOn = async (): Promise<void> => {
    while (next < campaign.segments && found === undefined) {
      const seed = campaign.seed + next++;
      const all = segmentOf(seed, campaign.chapters, campaign.commandsMax);
      const commands = engines.some(({ isParted }) => isParted) ? all.flatMap(narrowed) : all;
      try {
        const { operations, states } = await runSegment(engines, commands, campaign.compareEvery);
        done.segments += 1;
        done.operations += operations;
        done.states += states;
      } catch (first) {
        found ??= { seed, commands, first };
      }
    }
  };
  await Promise.all(Array.from({ length: campaign.atOnce }, goOn));
  if (found === undefined) return done;
  return { ...done, found: { ...found, commands: await shrink(found.commands, (commands) => differs(engines, commands), campaign.shrinkMs) } };
}

/** Throws what one engine does otherwise than another, or than the model. */
export async function runSegment(
  engines: readonly EngineUnderTest[],
  commands: readonly Command[],
  compareEvery: number,
  log?: string[],
): Promise<{ readonly operations: number; readonly states: number }> {
  const stream = new Stream();
  const world = new StreamWorld(await storeOf(engines, stream), log);
  await world.open();
  let states = 0;
  try {
    for (const [index, command] of commands.entries()) {
      log?.push(JSON.stringify(command));
      await perform(world, command);
      if (((index + 1) % compareEvery !== 0 || !isAtRest(command)) && index + 1 < commands.length) continue;
      await world.compareStates();
      states += 1;
    }
  } finally {
    await world.close();
  }
  return { operations: stream.operations, states };
}

/** With a look at all that is stored after each command. */
export function differs(engines: readonly EngineUnderTest[], commands: readonly Command[]): Promise<boolean> {
  return runSegment(engines, commands, 1).then(
    () => false,
    () => true,
  );
}

/** What a person needs: what differs, the commands, the calls, and how to see it again. */
export async function story(engines: readonly EngineUnderTest[], { seed, commands, first }: Found): Promise<string> {
  const log: string[] = [];
  const error = await runSegment(engines, commands, 1, log).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const told = error === undefined ? `it did not differ again; the first time it said: ${inspect(first)}` : inspect(error);
  const list = commands.map((command) => `  ${JSON.stringify(command)}`).join(",\n");
  const names = engines.map(({ name }) => name).join(",");
  const replay = `STREAM_ENGINES=${names} STREAM_COMMANDS='${JSON.stringify(commands)}' npx node --test verify/differential/all.test.ts`;
  return `in the segment of seed ${seed}: ${told}\n\ncommands\n[\n${list}\n]\n\nasked and answered\n${log.slice(-40).join("\n")}\n\nreplay:\n${replay}`;
}

function inspect(error: unknown): string {
  return error instanceof Divergence ? error.message : inspectAll(error);
}

async function storeOf(engines: readonly EngineUnderTest[], stream: Stream): Promise<Store> {
  const stores = await Promise.all(engines.map(async ({ make }) => make()));
  // What cannot be opened twice has one handle.
  const only = stores.map((store) => (store.isShared ? undefined : store.connect()));
  return {
    connect: () =>
      new Together(
        stores.map((store, index) => only[index] ?? store.connect()),
        stream,
      ),
    isShared: true,
    dispose: async () => {
      for (const store of stores) await store.dispose?.();
    },
  };
}
