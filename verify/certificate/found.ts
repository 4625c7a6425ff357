/** Bugs that were found in errand, and by what: only what the history says. In the order of their repair. */

export interface Found {
  /** As a user would have met it. */
  readonly what: string;
  readonly engine: string;
  /** The layer that showed it, by the files that the repair changed or by who mended it; else it is not on record. */
  readonly by: string;
  /** That mended it. */
  readonly commit: string;
}

export const found: readonly Found[] = [
  {
    what: "a claim of several queues did not serve the most urgent job first; fan-out and replay had an order of their own on each engine",
    engine: "memory, SQLite",
    by: "walk",
    commit: "df5ea31",
  },
  { what: "a call in an app's transaction could be stored in part", engine: "all", by: "laws", commit: "c389985" },
  { what: "a grant of a lock whose answer came late was taken for one", engine: "core", by: "laws", commit: "d4876df" },
  { what: "tidy did not say that there was more while passes were left", engine: "SQLite", by: "model", commit: "1105199" },
  { what: "what a batch came after was not found", engine: "memory, SQLite", by: "walk", commit: "680a62c" },
  { what: "two tries at once of what was down, where an ending was stored before the next process read it", engine: "core", by: "laws", commit: "bc319f5" },
  { what: "a member that runs in a row was listed and cancelled twice", engine: "SQLite, PostgreSQL", by: "model", commit: "5620efb" },
  {
    what: "what the cancel of a batch left over was not cancelled where its lane parked it first",
    engine: "SQLite, PostgreSQL",
    by: "model",
    commit: "34771bd",
  },
  { what: "what two cancels of a batch left over was not cancelled once the batch had closed", engine: "all", by: "model", commit: "68b3c95" },
  { what: "in a row, jobs followed past one that had died", engine: "memory", by: "model", commit: "d5f45e7" },
  { what: "again() answered otherwise than the call would have", engine: "core", by: "laws", commit: "370e7c3" },
  {
    what: "a process did not hear that it was lost where one pass had not taken back all that it held",
    engine: "PostgreSQL",
    by: "not on record",
    commit: "048fa9e",
  },
  {
    what: "a caller that was told lease-lost held the lock all the same",
    engine: "core",
    by: "not on record",
    commit: "535856d",
  },
  {
    what: "two starts of a job within one millisecond counted as one for a limit",
    engine: "SQLite",
    by: "not on record",
    commit: "e40ac7c",
  },
  {
    what: "of outcomes written together, one that was written again completed a job of its claim that still ran: the job was lost",
    engine: "SQLite",
    by: "simulator",
    commit: "462fdae",
  },
  {
    what: "a file that could not be brought to WAL had errand's tables after an error that calls itself definite",
    engine: "SQLite",
    by: "disk",
    commit: "b67dd46",
  },
  {
    what: "of jobs run in a row, one that came back after its predecessor had completed waited behind it",
    engine: "Redis",
    by: "differential",
    commit: "d821d56",
  },
  {
    what: "the heartbeat of all partitions failed while one of them was away",
    engine: "Redis over partitions",
    by: "not on record",
    commit: "d821d56",
  },
  {
    what: "a call for a lock that reached the store after it was given up kept the lock from everybody until its process ended",
    engine: "core",
    by: "simulator",
    commit: "0a30a10",
  },
  {
    what: "what a process wrote and was killed before it had synced was taken for stored by who asked again, and a power cut took it back",
    engine: "SQLite",
    by: "disk",
    commit: "b67dd46",
  },
  {
    what: "a store of several partitions whose first one was emptied was opened as a store of one",
    engine: "Redis over partitions",
    by: "not on record",
    commit: "d821d56",
  },
  {
    what: "a disk without room for the log's index was not told as full",
    engine: "SQLite",
    by: "disk",
    commit: "b67dd46",
  },
  {
    what: "the reason of a cancel was refused by one engine and cut otherwise by others where it held U+0000 or half a surrogate pair",
    engine: "PostgreSQL, and others",
    by: "differential",
    commit: "0a30a10",
  },
  {
    what: "a member that came after its batch had been closed was told cancelled, and ran",
    engine: "Redis over partitions",
    by: "walk",
    commit: "d821d56",
  },
  {
    what: "a link to a file on a file system that is refused got round the refusal, and its log was not cut off",
    engine: "SQLite",
    by: "disk",
    commit: "b67dd46",
  },
  {
    what: "a batch that was given up while it held a closed one stayed listed as staged until its members were gone",
    engine: "SQLite, PostgreSQL",
    by: "walk",
    commit: "b67dd46",
  },
  { what: "under a virtual clock an outbox was not moved on", engine: "Redis", by: "scopes", commit: "d821d56" },
  {
    what: "a batch counted a member twice that had come back to the batch's partition for its lane",
    engine: "Redis over partitions",
    by: "walk",
    commit: "136ab1a",
  },
  {
    what: "what a job handed over as it ended, under its own unique key, was not stored where the job had gone on to another partition",
    engine: "Redis over partitions",
    by: "differential",
    commit: "b7cca46",
  },
  {
    what: "dead workers' jobs were left lying for as long as a store came and went within a lease, or many wrote to one file",
    engine: "core, SQLite",
    by: "fault run",
    commit: "7b9080c",
  },
  {
    what: "a server that stood still took the living for dead where it answered first who looks for dead workers",
    engine: "Redis",
    by: "not on record",
    commit: "27fe194",
  },
  {
    what: "each call that a lost connection met ended it once more, until Node.js warned of a leak",
    engine: "Redis",
    by: "not on record",
    commit: "36ec89a",
  },
];
