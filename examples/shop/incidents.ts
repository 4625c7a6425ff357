/** What goes wrong while the orders come in, at the same moments of each phase. */
import { setTimeout as pause } from "node:timers/promises";
import type { Child, Children } from "../stage/children.ts";
import type { Load } from "./load.ts";

/** As shares of the load's length. */
const mailDown = { from: 0.3, to: 0.5 };
const workerKilledAt = 0.75;
const receiptsAskedFor = { from: 0.35, to: 0.95, count: 50 };
/** It is killed at a moment when it hurts. */
const underWayMin = 4;
const looksMax = 500;
const lookAgainMs = 5;
/** How long a supervisor takes to start another worker. */
const replacedAfterMs = 1_000;

/** In ms since 1970. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** Mail fails altogether for a fifth of the time. */
export async function mailOutage(thirdParty: string, load: Load, tell: (news: string) => void): Promise<Outage> {
  await pause(mailDown.from * load.lengthMs);
  const from = Date.now();
  await fetch(`${thirdParty}/down/mail`, { method: "PUT" });
  tell("mail is down");
  await pause((mailDown.to - mailDown.from) * load.lengthMs);
  await fetch(`${thirdParty}/down/mail`, { method: "DELETE" });
  tell("mail is back");
  return { from, to: Date.now() };
}

/** Of the third party, at this moment: effects done, and calls being carried out for each process. */
export interface Counts {
  readonly done: number;
  readonly underWay: Readonly<Record<string, number>>;
}
export async function countsOf(thirdParty: string): Promise<Counts> {
  const response = await fetch(`${thirdParty}/count`);
  return (await response.json()) as Counts;
}

interface Crew {
  readonly children: Children;
  readonly workers: readonly Child[];
  startAnother(): Promise<Child>;
}

/** A worker dies by SIGKILL, with calls under way; another one is started. Answers how many were killed. */
export async function workerKilled(crew: Crew, thirdParty: string, load: Load, tell: (news: string) => void): Promise<number> {
  await pause(workerKilledAt * load.lengthMs);
  const victim = await busyOne(crew.workers, thirdParty);
  if (victim === undefined) return 0;
  await crew.children.kill(victim);
  tell("a worker was killed");
  await pause(replacedAfterMs);
  await crew.startAnother();
  tell("a worker was replaced");
  return 1;
}

/** The first worker that is seen with enough calls under way; any, if there is none for long. */
async function busyOne(workers: readonly Child[], thirdParty: string): Promise<Child | undefined> {
  for (let look = 0; look < looksMax; look += 1) {
    const { underWay } = await countsOf(thirdParty);
    const busy = workers.find(({ name }) => (underWay[name] ?? 0) >= underWayMin);
    if (busy !== undefined) return busy;
    await pause(lookAgainMs);
  }
  return workers[0];
}

export interface Resent {
  readonly asked: number;
  /** Joined a receipt that still waited or was being sent. */
  readonly joined: number;
}

/** Customers who press "send the receipt again": some while it still waits, most after it was sent. */
export async function receiptsResent(shop: string, load: Load): Promise<Resent> {
  const { from, to, count } = receiptsAskedFor;
  await pause(from * load.lengthMs);
  let asked = 0;
  let joined = 0;
  for (let press = 0; press < count; press += 1) {
    await pause(((to - from) / count) * load.lengthMs);
    const order = load.orders[Math.floor(load.sent * 0.9)];
    if (order === undefined || !load.accepted.has(order.id)) continue;
    const response = await fetch(`${shop}/orders/${order.id}/receipt`, { method: "POST" });
    const { hasJoined } = (await response.json()) as { readonly hasJoined: boolean };
    asked += 1;
    if (hasJoined) joined += 1;
  }
  return { asked, joined };
}
