/** Very many jobs fall due at the same moment, and are claimed one batch after the other: how long is a claim, as the client has it? */
import { quantiles, type Figures } from "../systems/system.ts";
import { fillDue, until } from "../falling.ts";
import type { Kit } from "../store.ts";
import { Meter } from "./meter.ts";
import type { RedisSystem } from "./system.ts";

const claims = 2_000;

export async function dueClaims(system: RedisSystem, kit: Kit, url: string, jobs: number): Promise<Figures> {
  if (system.claims === undefined) throw new Error(`${system.name} has no verb to claim with`);
  const [producer, meter] = [await system.produce(url), await Meter.on(url)];
  await until(await fillDue(system, kit, producer, jobs));
  await meter.watch();
  const samples = await system.claims(url, Math.min(claims, jobs));
  const scripts = await meter.steps();
  await producer.close();
  await meter.close();
  return { ...quantiles(samples), ...scripts };
}
