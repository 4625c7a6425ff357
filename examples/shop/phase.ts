/** One phase: the shop with one kind of endpoint, the same orders, the same troubles; and what came of it. */
import { setTimeout as pause } from "node:timers/promises";
import type { Report } from "./carriedOut.ts";
import type { Child, Children } from "../stage/children.ts";
import type { Stores } from "./engines.ts";
import { broker, type Broker } from "./errand.ts";
import { figuresOf, type Figures, type Kind, type Observed } from "./figures.ts";
import { countsOf, mailOutage, receiptsResent, workerKilled } from "./incidents.ts";
import { Load } from "./load.ts";
import type { Options } from "./options.ts";
import type { Order } from "./order.ts";
import { openOrders } from "./orders.ts";
import type { Progress } from "./progress.ts";
import { storeOf } from "./store.ts";

const workersCount = 2;
/** Far longer than a killed worker's lease and the longest retry, for a machine that is busy with other things. */
const settleMs = 120_000;

export interface Stage {
  readonly options: Options;
  readonly orders: readonly Order[];
  readonly directory: string;
  readonly children: Children;
  readonly progress: Progress;
  /** For the end of the run. */
  readonly cleanUps: (() => Promise<void>)[];
}

export class Phase {
  readonly #kind: Kind;
  readonly #stage: Stage;
  readonly #stores: Stores;
  #workersStarted = 0;
  #news = "";

  constructor(kind: Kind, stage: Stage, stores: Stores) {
    this.#kind = kind;
    this.#stage = stage;
    this.#stores = stores;
  }

  async run(): Promise<Figures> {
    const thirdParty = await this.#start("thirdParty.ts", "third party", {});
    const shop = await this.#start("shop.ts", "shop", { SHOP_PARTNERS: thirdParty.url });
    const load = new Load(shop.url, this.#stage.orders, this.#stage.options.rate);
    const stopShowing = this.#show(load, thirdParty);
    try {
      return this.#kind === "stuffed" ? await this.#runStuffed(load, thirdParty) : await this.#runErrand(load, thirdParty, shop);
    } finally {
      stopShowing();
      await this.#stage.children.endAll();
    }
  }

  async #runStuffed(load: Load, thirdParty: Child): Promise<Figures> {
    const [outage] = await Promise.all([mailOutage(thirdParty.url, load, this.#tell), load.run()]);
    return this.#figures(load, thirdParty, { outage, resent: { asked: 0, joined: 0 }, workersKilled: 0, settledAt: Date.now(), skipped: 0, dead: 0 });
  }

  async #runErrand(load: Load, thirdParty: Child, shop: Child): Promise<Figures> {
    const startWorker = (): Promise<Child> =>
      this.#start("worker.ts", `worker ${(this.#workersStarted += 1)}`, { SHOP_PARTNERS: thirdParty.url, SHOP_ROLE: "worker" });
    const workers = await Promise.all(Array.from({ length: workersCount }, startWorker));
    const [outage, workersKilled, resent] = await Promise.all([
      mailOutage(thirdParty.url, load, this.#tell),
      workerKilled({ children: this.#stage.children, workers, startAnother: startWorker }, thirdParty.url, load, this.#tell),
      receiptsResent(shop.url, load),
      load.run(),
    ]);
    await using work = broker(storeOf(this.#stores.store, this.#stores.database));
    const settled = await this.#settled(work);
    return await this.#figures(load, thirdParty, { outage, resent, workersKilled, ...settled });
  }

  /** Waits until no job is left to do; if that takes too long, says why the first of them waits. */
  async #settled(work: Broker): Promise<Pick<Observed, "settledAt" | "skipped" | "dead">> {
    const patience = AbortSignal.timeout(settleMs);
    for (;;) {
      const isMovedOn = await isAllMovedOn(work);
      const { scheduled, blocked, ready, running, parked, skipped, dead } = await work.count();
      const left = scheduled + blocked + ready + running;
      if ((left === 0 && isMovedOn) || patience.aborted) {
        if (left > 0) await this.#explain(work);
        return { settledAt: Date.now(), skipped, dead: dead + parked };
      }
      this.#news = `${left.toLocaleString("en")} jobs to go`;
      await pause(100);
    }
  }

  async #explain(work: Broker): Promise<void> {
    const { jobs } = await work.list({ states: ["scheduled", "blocked", "ready", "running"] }, { limit: 5 });
    for (const { id } of jobs) this.#stage.progress.say(await work.why(id));
  }

  async #figures(load: Load, thirdParty: Child, seen: Omit<Observed, "kind" | "load" | "report" | "placed">): Promise<Figures> {
    const report = (await (await fetch(`${thirdParty.url}/report`)).json()) as Report;
    const orders = openOrders(this.#stores.database, "shop");
    const placed = await orders.placed();
    await orders.close();
    return figuresOf({ kind: this.#kind, load, report, placed, ...seen });
  }

  #start(module: string, name: string, more: Readonly<Record<string, string>>): Promise<Child> {
    const settings = { SHOP_ENDPOINT: this.#kind, SHOP_DATABASE: this.#stores.database, SHOP_STORE: this.#stores.store, SHOP_SEED: this.#stage.options.seed };
    return this.#stage.children.start(module, `${this.#kind} ${name}`, { ...settings, ...more });
  }

  readonly #tell = (news: string): void => {
    this.#news = news;
  };

  #show(load: Load, thirdParty: Child): () => void {
    const showing = setInterval(() => void this.#showOnce(load, thirdParty), 250);
    return () => clearInterval(showing);
  }

  async #showOnce(load: Load, thirdParty: Child): Promise<void> {
    const count = await countsOf(thirdParty.url).catch(() => undefined); // it may be gone: a run that ends shows no more
    if (count !== undefined)
      this.#stage.progress.show({ phase: this.#kind, sent: load.sent, orders: load.orders.length, effects: count.done, news: this.#news });
  }
}

/** What waits in an outbox is no job yet. */
async function isAllMovedOn(work: Broker): Promise<boolean> {
  const lag = (await work.metrics()).find(({ name }) => name === "errand_outbox_lag_seconds");
  return lag?.samples[0] === undefined || lag.samples[0].value === 0;
}
