/** What is to be known of a section's figures. */
import { topicOf, type Section, type Topic } from "./question.ts";

/** Where a store has nothing of its own to say. */
const ofTopics: Readonly<Record<Topic, string>> = {
  load: `Jobs arrive at random (exponential gaps), one call each, whatever became of those before them, and a worker process of 100 hands runs them. The time is from the moment a job was
to arrive, also where the process that enqueues was late with it, until its run starts: nothing is omitted because a call waited. "What it sustains" is found out before, in the same place, with
64 callers in a loop beside the worker: half of that is another number of jobs for each system, and 50 a second is the same for all.`,
  backlog: `So many jobs wait all the time, while others are enqueued in calls of 250 and run by one worker process of 100 hands. What is measured of each system are some thousands of jobs, after a
fifth as many that are not. The cost is the CPU of both processes and of the server, divided by the jobs that ran.`,
  killed: `Four worker processes; in the second half of the time one of them is killed (SIGKILL) each two seconds, with what it holds, and a new process takes its place when it is connected. Some 20,000
jobs wait all the time. The throughput is that of outcomes stored, by the store's own count. Afterwards nothing is enqueued any more: the seconds until all had run are mostly those of leases that must be
over before anybody else may run what the dead held; after 60 s what is left is counted instead.`,
  due: "The jobs are stored beforehand, due at one moment, at which a worker of 100 hands is at work.",
  history: `The jobs are enqueued and run by the system itself, 50,000 after 50,000, one worker process of 100 hands; the cost is that of the second and of the last of these parts, CPU of both processes and of the
server. Start: single enqueues to an idle worker in the same process, 50 a second, before and afterwards. Peers that delete what is done have no history.`,
  idle: "A worker process has run 100 jobs, rests for five seconds, and is measured in the ten that follow: CPU of the worker and of the server.",
};

const inFlight =
  "Memory of a job that runs: what a worker's heap and buffers hold more, after garbage was collected, with 1,000 jobs that do not end than with 500, divided by 500.";

const ofSections: Readonly<Partial<Record<Section, string>>> = {
  sqlite: `A drain runs in worker processes of its own that have opened the file before it starts, and ends when the last outcome is stored. CPU is that of the measured part, of all processes. What a
waiting job takes up: by how much the file is larger with it, when nobody has it open. ${inFlight} What is not measured here: payloads above 50 bytes, disks slower than this one,
where whoever commits job by job waits longer for each fsync.`,
  postgres: `Client, server and workers share these cores, and there is no network between them, which flatters whoever asks often. A drain runs in worker processes of its own
that are connected before it starts, over tables that were vacuumed and analysed, and ends when the last outcome is stored. Server CPU is that of the database's
backends; WAL bytes are the server's, those of the enqueues and of the drain, after a checkpoint. What a waiting job takes up: by how much the database is larger with it, after VACUUM.
${inFlight}`,
  committers: `64 callers in a loop over a pool of 16 connections: BEGIN, an INSERT of one row into a table of the app's own, COMMIT. The other systems enqueue one job in each of these
transactions, and one worker process of theirs, with nothing else to do, takes the jobs and runs them meanwhile, on the same cores. Afterwards every row is there, and every
job has run once. "of the app's own" divides the commits in a second by those of the app's own insert alone.`,
  pinned: `Each system enqueues and drains at full speed in two processes, with some 30,000 jobs waiting, while another connection holds a transaction open.
"the rest ÷ first" compares the last two thirds of the time with the first third. The transaction that enqueued did so in the measured system, and never commits.`,
  paced: `One process enqueues 2,000 jobs in each second, in a call every 10 ms, and one worker process runs them; the call's beginning to the start of the run is measured. "late
at the end" are those that were enqueued and had not run by then. Dead rows and size are those of all tables of the system, after the worker has stopped and while the transaction
is still held. errand and pg-boss keep what was done, graphile-worker deletes it.`,
  "postgres-history": `Completed jobs of the last hours, stored by SQL as the system's own verbs store them, then VACUUM ANALYZE; "before" there are some 200. Start: single enqueues to an idle worker in the same process, 50 a second. A
retention pass is one call of the verb that workers make each half second, while a tenth of the jobs is due to go. graphile-worker keeps no done jobs; pg-boss counts from a cache
and removes all that is due in one walk, so only its starts are compared.`,
  redis: `Client, server and workers share these cores, and there is no network between them, which flatters whoever asks often. Each answer has a server of its own, without snapshots and
without an append-only file: what it stores is lost when it ends. A drain runs in worker processes of its own that are connected before it starts, and ends when the last outcome is
stored. Commands are those that the server counts, with those of its scripts. Memory of a waiting job: what the server holds more with 100,000 of them, divided by these.
${inFlight}`,
  "redis-aof": "The server writes to its append-only file and calls fsync before it answers (appendfsync always).",
  "redis-cluster": `Three masters with a replica each, and all clients, share the cores that one server has with its clients elsewhere: with machines of their own each master does what
one server does. CPU of masters and replicas is that of all three; bytes are those that the masters read and wrote, the stream to the replicas included.`,
  "redis-due": `The jobs are stored beforehand, due at one moment, at which a worker of 100 hands is at work; or they are claimed by the verb that the system's own worker uses, with the
settlement of the claim before, by a single caller: 100 jobs of errand's in a claim, one job of BullMQ's. Times of scripts are the server's own: while one runs, nobody else is answered.`,
  "redis-idle": "A worker process has run 100 jobs, rests for five seconds, and is measured in the ten that follow.",
};

export function caveatOf(section: Section): string {
  const topic = topicOf(section);
  return ofSections[section] ?? (topic === undefined ? "" : ofTopics[topic]);
}
