/** Many runs of random commands; the first that fails is shrunk and told so that a person can replay it. */
import fc from "fast-check";
import type { Command } from "./commands.ts";
import { commandLists } from "./arbitraries.ts";
import { performAll } from "./perform.ts";
import { shrink } from "./shrink.ts";
import { World } from "./world.ts";
import type { Store } from "./world.ts";

export interface EngineUnderTest {
  readonly name: string;
  /** Why it cannot be tested here, if so. */
  readonly missing?: string;
  /** A store of several partitions, of which less is told (differential/partitions.ts). */
  readonly isParted?: true;
  readonly make: () => Store | Promise<Store>;
}

export interface Campaign {
  readonly runs: number;
  readonly commandsMax: number;
  readonly seed: number;
  readonly shrinkMs: number;
}

/** Undefined: no divergence. Else the shortest commands found that show one. */
export async function findDivergence(target: EngineUnderTest, campaign: Campaign): Promise<readonly Command[] | undefined> {
  const property = fc.asyncProperty(commandLists(campaign.commandsMax), async (commands) => {
    await runCommands(target, commands);
  });
  const checked = await fc.check(property, { numRuns: campaign.runs, seed: campaign.seed, endOnFailure: true });
  const found = checked.counterexample?.[0];
  return found && shrink(found, (commands) => isDivergent(target, commands), campaign.shrinkMs);
}

/** By this process so far. */
export const performed: { commands: number } = { commands: 0 };

/** Throws what the engine did otherwise than the model. */
export async function runCommands(target: EngineUnderTest, commands: readonly Command[], log?: string[]): Promise<void> {
  const world = new World(await target.make(), log);
  await world.open();
  try {
    await performAll(world, commands);
    performed.commands += commands.length;
  } finally {
    await world.close();
  }
}

export async function isDivergent(target: EngineUnderTest, commands: readonly Command[]): Promise<boolean> {
  return runCommands(target, commands).then(
    () => false,
    () => true,
  );
}

/** What a person needs: what differs, the commands, the calls, and how to see it again. */
export async function story(target: EngineUnderTest, file: string, commands: readonly Command[]): Promise<string> {
  const log: string[] = [];
  const error = await runCommands(target, commands, log).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const told = error instanceof Error ? (error.name === "Divergence" ? error.message : error.stack) : "it did not differ again";
  const list = commands.map((command) => `  ${JSON.stringify(command)}`).join(",\n");
  const replay = `MODEL_COMMANDS='${JSON.stringify(commands)}' npx node --test verify/model/${file}.test.ts`;
  return `${target.name} differs from the model: ${told}\n\ncommands\n[\n${list}\n]\n\nasked and answered\n${log.slice(-40).join("\n")}\n\nreplay:\n${replay}`;
}
