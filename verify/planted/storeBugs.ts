/** Bugs planted in the engines: TypeScript, SQL and Lua, and what an acknowledgement means. */
import type { EngineName, Planted } from "./plant.ts";

const ofEngine = (engine: EngineName, name: string, what: string, breaks: string, file: string, from: string, to: string): Planted => ({
  name,
  what,
  breaks,
  area: "engine",
  engine,
  patches: [{ file: `src/${engine}/${file}.ts`, from, to }],
});

const ofMemory: readonly Planted[] = [
  ofEngine(
    "memory",
    "memory-no-fence",
    "an outcome is taken from whoever brings it",
    "G4",
    "settle",
    "job.lease !== undefined && job.lease.claim === outcome.claim && job.lease.fence === outcome.fence",
    "job.lease !== undefined",
  ),
  ofEngine("memory", "memory-no-suspicion", "a crash makes nobody suspect", "G13", "expire", "  job.suspects += 1;\n", ""),
  ofEngine("memory", "memory-key-kept", "a unique key is not freed by its job's end", "G6", "unique", "    live?.delete(job);\n", ""),
  ofEngine(
    "memory",
    "memory-reader-passes",
    "a reader passes the writer who waits",
    "G17",
    "lock",
    'if (request.mode === "read") return writers;',
    'if (request.mode === "read") return 0;',
  ),
];

const ofSqlite: readonly Planted[] = [
  ofEngine(
    "sqlite",
    "sqlite-range-completion",
    "outcomes are completed by the range of their rows, whoever else runs in it",
    "G1",
    "complete",
    "if (rows.length === seqs.length && rows.every(([seq], nth) => seq === seqs[nth])) {",
    "if (rows.length === seqs.length) {",
  ),
  ofEngine(
    "sqlite",
    "sqlite-no-fence",
    "plain completions are taken from whoever brings them",
    "G4",
    "complete",
    "r.fence = ? AND r.claim = ? AND",
    "(? IS NOT NULL AND ? IS NOT NULL) AND",
  ),
  ofEngine(
    "sqlite",
    "sqlite-late-expiry",
    "a dead worker's lease ends a minute late",
    "G20",
    "expire",
    "lease_until <= ? ORDER BY",
    "lease_until <= ? - 60000 ORDER BY",
  ),
  ofEngine("sqlite", "sqlite-counts-drift", "completions are not counted", "I20", "complete", '    tx.counters.add(line, "completed", next - at);\n', ""),
  ofEngine(
    "sqlite",
    "sqlite-reader-passes",
    "a reader passes the writer who waits",
    "G17",
    "lock",
    'if (request.mode === "read") return writers;',
    'if (request.mode === "read") return 0;',
  ),
];

const ofPostgres: readonly Planted[] = [
  ofEngine(
    "postgres",
    "postgres-note-overwritten",
    "a note is written whatever version its writer believes in",
    "G12",
    "note",
    "IF (_write ->> 'ifVersion')::bigint <> _version THEN",
    "IF false THEN",
  ),
  ofEngine(
    "postgres",
    "postgres-late-expiry",
    "a dead worker's lease ends a minute late",
    "G20",
    "expire",
    "NOT p.is_lost AND p.lease_until <= _until ORDER BY",
    "NOT p.is_lost AND p.lease_until <= _until - 60000 ORDER BY",
  ),
  ofEngine(
    "postgres",
    "postgres-snooze-charged",
    "a snooze costs an attempt",
    "G13",
    "settle",
    "WHEN _is IN ('skipped', 'dead', 'retry', 'completed') THEN _job.attempts + 1",
    "WHEN _is IN ('skipped', 'dead', 'retry', 'completed', 'snoozed') THEN _job.attempts + 1",
  ),
];

const ofRedis: readonly Planted[] = [
  ofEngine(
    "redis",
    "redis-no-fence",
    "an outcome is taken from whoever brings it",
    "G4",
    "settle",
    "return lease ~= nil and lease.claim == outcome.claim and lease.fence == outcome.fence",
    "return lease ~= nil",
  ),
  ofEngine(
    "redis",
    "redis-lane-one-more",
    "one more of a key than its width may run at once",
    "G7",
    "lane",
    "and #lane.admitted < job.lane.width then",
    "and #lane.admitted <= job.lane.width then",
  ),
  ofEngine("redis", "redis-no-delay", "a retry does not wait", "I12", "settle", "job.dueAt = S.now + (outcome.delayMs or 0)", "job.dueAt = S.now"),
  ofEngine("redis", "redis-no-suspicion", "a crash makes nobody suspect", "G13", "expire", "  job.suspects = job.suspects + 1\n", ""),
];

const durability: readonly Planted[] = [
  {
    name: "sqlite-synchronous-normal",
    what: "an acknowledged write is not on the disk yet",
    breaks: "G1",
    area: "durability",
    engine: "sqlite",
    patches: [
      { file: "src/sqlite/connection.ts", from: 'connection.pragma("synchronous = FULL", simple);', to: 'connection.pragma("synchronous = NORMAL", simple);' },
      { file: "src/sqlite/connection.ts", from: 'if (journal === "wal" && synchronous === 2) return;', to: 'if (journal === "wal") return;' },
    ],
  },
  {
    name: "postgres-asynchronous-commit",
    what: "an acknowledged write is not on the disk yet",
    breaks: "G1",
    area: "durability",
    engine: "postgres",
    patches: [
      {
        file: "src/postgres/transaction.ts",
        from: "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)",
        to: "set_config('synchronous_commit', 'off', true)",
      },
    ],
  },
];

export const storeBugs: readonly Planted[] = [...ofMemory, ...ofSqlite, ...ofPostgres, ...ofRedis, ...durability];
