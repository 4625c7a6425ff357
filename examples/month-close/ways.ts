/** The two ways to close a month. */
import type { Child } from "../stage/children.ts";
import { month } from "./clock.ts";
import * as definitions from "./definitions.ts";
import { broker, type Broker } from "./errand.ts";
import type { Course, Way } from "./run.ts";
import { guardsAtWork, type GuardsAtWork } from "./guardsAtWork.ts";

/** One program from the first customer to the last; killed, it is started again. */
export class StraightThrough implements Way<undefined> {
  readonly name = "straight";
  #isDone = false;

  async start(course: Course): Promise<readonly Child[]> {
    const program = await course.start("straight.ts", "program");
    program.process.on("message", () => (this.#isDone = true));
    return [program];
  }

  async replace(course: Course): Promise<void> {
    await this.start(course);
  }

  isDone(): Promise<boolean> {
    return Promise.resolve(this.#isDone);
  }

  explain(): Promise<string> {
    return Promise.resolve("the program still runs");
  }

  tell(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/** Handed over in one call; two workers carry it out, and one of them is killed. */
export class ByErrand implements Way<GuardsAtWork> {
  readonly name = "errand";
  #broker: Broker | undefined;
  #workers = 0;

  async start(course: Course): Promise<readonly Child[]> {
    const work = this.#work(course);
    const [first, second] = await Promise.all([
      this.#startWorker(course),
      this.#startWorker(course),
      work.enqueue(definitions.monthClose(course.books.accounts.ids(), month)),
    ]);
    return [first, second];
  }

  async replace(course: Course): Promise<void> {
    await this.#startWorker(course);
  }

  async isDone(course: Course): Promise<boolean> {
    if (course.books.reports.of(month) === undefined) return false;
    const { scheduled, blocked, ready, running } = await this.#work(course).count();
    return scheduled + blocked + ready + running === 0;
  }

  async explain(course: Course): Promise<string> {
    const work = this.#work(course);
    const { jobs } = await work.list({ states: ["scheduled", "ready", "running"] }, { limit: 5 });
    return (await Promise.all(jobs.map(({ id }) => work.why(id)))).join("\n");
  }

  async tell(course: Course): Promise<GuardsAtWork> {
    const told = await guardsAtWork(this.#work(course), course.books.database);
    await this.#broker?.close();
    return told;
  }

  #work({ database }: Course): Broker {
    return (this.#broker ??= broker(`sqlite:${database}`, definitions));
  }

  #startWorker(course: Course): Promise<Child> {
    return course.start("worker.ts", `worker ${(this.#workers += 1)}`);
  }
}
