import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { isSafeLibrary } from "../../src/sqlite/connection.ts";
import { loadDriver } from "../../src/sqlite/driver.ts";
import type { Driver } from "../../src/sqlite/driver.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { Bench, Database, job, valueOf, wanted } from "./bench.ts";

function refusedWith(code: ErrorCode, open: () => unknown): void {
  assert.throws(open, (error) => {
    assert.ok(ErrandError.is(error, code), String(error));
    return true;
  });
}

describe("opening a file", () => {
  it("makes a missing one, with WAL, a full sync and no memory map", async () => {
    await using bench = new Bench();
    let opened: InstanceType<Driver> | undefined;
    bench.engine({}, { load: () => spied((connection) => void (opened = connection)) });
    const settings = ["journal_mode", "synchronous", "mmap_size", "busy_timeout"].map((name) => opened?.pragma(name, { simple: true }));
    assert.deepEqual(settings, ["wal", 2, 0, 0]);
  });

  it("that cannot be brought to WAL leaves it as it was, and says what may be wrong", async () => {
    await using bench = new Bench();
    const app = new Database(bench.file, { timeout: 0 });
    bench.closeLater(app);
    app.exec("CREATE TABLE orders (id TEXT PRIMARY KEY)");
    const Failing = spied((connection) => {
      const pragma = connection.pragma.bind(connection);
      // So SQLite answers where the switch failed, as on a full disk.
      connection.pragma = (source, options) => (source === "journal_mode = WAL" ? "delete" : pragma(source, options));
    });
    assert.throws(() => bench.engine({}, { load: () => Failing }), /^ErrandError: store-unsafe: .* stays at journal_mode=delete; .*is full or fails/);
    assert.equal(valueOf(app, "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table'"), "orders");
  });

  it("takes the app's own file, and leaves its tables alone", async () => {
    await using bench = new Bench();
    const app = bench.app();
    app.exec("CREATE TABLE orders (id TEXT PRIMARY KEY); INSERT INTO orders VALUES ('o1')");
    const engine = bench.engine();
    await engine.enqueue([{ works: [job("a")] }], {});
    assert.equal(valueOf(app, "SELECT id FROM orders"), "o1");
    assert.equal((await engine.claim(wanted(), {})).jobs.length, 1);
  });

  it("finds again what was stored, under the same era", async () => {
    await using bench = new Bench();
    const first = bench.engine();
    await first.enqueue([{ works: [job("a")] }], {});
    const { era } = await first.beat("p1", 1_000, {});
    await first.close();
    const second = bench.engine();
    assert.equal((await second.beat("p1", 1_000, {})).era, era);
    assert.deepEqual(
      (await second.claim(wanted(), {})).jobs.map(({ id }) => id),
      ["a"],
    );
  });

  it("is refused where there is no file: in memory, or in a missing directory", async () => {
    await using bench = new Bench();
    const { runtime, folder } = bench;
    for (const file of [":memory:", "", "file:x?mode=memory", join(folder, "missing", "work.db")]) {
      refusedWith("option-invalid", () => sqlite(file).open({ runtime }));
    }
  });

  it("a verb before open, or after close, is refused", async () => {
    await using bench = new Bench();
    const engine = bench.engine();
    await engine.close();
    refusedWith("broker-closed", () => engine.count({}));
    refusedWith("broker-closed", () => sqlite(bench.file).count({}));
  });

  it("all that is in doubt about a file is said when it is opened", async (t) => {
    const doubts: readonly { readonly claim: string; readonly code: ErrorCode; readonly make: (file: string) => void }[] = [
      {
        claim: "text is no database",
        code: "store-foreign",
        make: (file) => writeFileSync(file, "this is not a database, but a text of some length. ".repeat(100)),
      },
      { claim: "a damaged schema", code: "store-corrupt", make: (file) => overwritten(file, 100, 3_000) },
      {
        claim: "tables of another errand",
        code: "store-foreign",
        make: (file) => new Database(file, { timeout: 0 }).exec("CREATE TABLE errand_meta (a); CREATE TABLE errand_jobs (b)"),
      },
      {
        claim: "a table with one of our names",
        code: "store-foreign",
        make: (file) => new Database(file, { timeout: 0 }).exec("CREATE TABLE errand_jobs (b)"),
      },
      { claim: "a schema of the future", code: "store-newer", make: (file) => changed(file, "UPDATE errand_meta SET value = '99' WHERE key = 'schema'") },
    ];
    for (const { claim, code, make } of doubts) {
      await t.test(`${claim}: ${code}`, async () => {
        await using bench = new Bench();
        make(bench.file);
        refusedWith(code, () => bench.engine());
      });
    }
  });
});

describe("the driver", () => {
  it("is not even loaded on Node 20, where it would end the process", () => {
    let isLoaded = false;
    const load = (): unknown => (isLoaded = true);
    assert.throws(() => loadDriver("better-sqlite3", "20.19.0", load), /^ErrandError: engine-missing: .*does not run on Node 20\.19\.0; use Node 22/);
    assert.equal(isLoaded, false);
  });

  it("that does not load is said to be missing, with the cure", () => {
    const load = (): never => {
      throw new Error("Cannot find module");
    };
    assert.throws(() => loadDriver("better-sqlite3", "24.0.0", load), /^ErrandError: engine-missing: .*npm install better-sqlite3@13/);
  });

  it("with a library that can corrupt a WAL is refused", async () => {
    await using bench = new Bench();
    const Old = spied((connection) => {
      const prepare = connection.prepare.bind(connection);
      connection.prepare = (sql) => prepare(sql === "SELECT sqlite_version()" ? "SELECT '3.51.2'" : sql);
    });
    refusedWith("store-unsafe", () => bench.engine({}, { load: () => Old }));
    assert.deepEqual(["3.51.2", "3.50.9", "2.99.99", "3.51.3", "3.52.0", "4.0.0"].map(isSafeLibrary), [false, false, false, true, true, true]);
  });
});

describe("the place", () => {
  for (const [name, type] of Object.entries({
    NFS: 0x6969,
    SMB: 0x517b,
    "SMB 2": 0xfe534d42,
    CIFS: 0xff534d42,
    "9p": 0x01021997,
    FUSE: 0x65735546,
    "CIFS (a signed number)": 0xff534d42 | 0,
  })) {
    it(`on ${name} is refused, unless that is asked for`, async () => {
      await using bench = new Bench();
      refusedWith("store-unsafe", () => bench.engine({}, { fileSystemType: () => type }));
      bench.engine({ unsafeFileSystem: true }, { fileSystemType: () => type });
    });
  }

  for (const before of ["there", "not there yet"]) {
    it(`is where the file is, whatever link leads to it (${before})`, async () => {
      await using bench = new Bench();
      const far = join(bench.folder, "far");
      mkdirSync(far);
      symlinkSync(join(far, "work.db"), bench.file);
      if (before === "there") await bench.engine().close();
      const fileSystemType = (place: string): number => (place.startsWith(far) ? 0x6969 : 0xef53);
      refusedWith("store-unsafe", () => bench.engine({}, { fileSystemType }));
      assert.equal(existsSync(join(far, "work.db")), before === "there");
      const engine = bench.engine();
      await engine.enqueue([{ works: [job("a")] }], {});
      assert.ok(statSync(join(far, "work.db-wal")).size > 0);
    });
  }

  it("of a file that is mounted alone into a local folder is looked at as well", async () => {
    await using bench = new Bench();
    await bench.engine().close();
    refusedWith("store-unsafe", () => bench.engine({}, { fileSystemType: (place) => (place.endsWith("work.db") ? 0x65735546 : 0xef53) }));
  });

  it("behind a link that leads nowhere is refused", async () => {
    await using bench = new Bench();
    symlinkSync(bench.file, `${bench.file}.other`);
    symlinkSync(`${bench.file}.other`, bench.file);
    refusedWith("option-invalid", () => bench.engine());
  });

  it("on a local disk is taken", async () => {
    await using bench = new Bench();
    bench.engine({}, { fileSystemType: () => 0xef53 });
  });

  it("that cannot be written is said to be read-only", async () => {
    await using bench = new Bench();
    await bench.engine().close();
    chmodSync(bench.folder, 0o555);
    chmodSync(bench.file, 0o444);
    // Root may write everything.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const script = `import { sqlite } from ${JSON.stringify(new URL("../../src/sqlite/index.ts", import.meta.url).href)};
      try { sqlite(${JSON.stringify(bench.file)}).open({ runtime: { now: Date.now, monotonic: () => 0, id: () => "x" } }); console.log("opened"); } catch (error) { console.log(error.code); }`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { ...nobody, encoding: "utf8", cwd: bench.folder });
    chmodSync(bench.folder, 0o755);
    assert.equal(stdout.trim(), "store-readonly");
  });
});

/** The driver, with a look at each connection that is made. */
function spied(look: (connection: InstanceType<Driver>) => void): Driver {
  return function open(file: string, options: { readonly timeout: number }) {
    const connection = new Database(file, options);
    look(connection);
    return connection;
  } as unknown as Driver;
}

function changed(file: string, sql: string): void {
  const engine = sqlite(file);
  void engine.open({ runtime: new Bench().runtime });
  const database = new Database(file, { timeout: 0 });
  database.exec(sql);
  database.close();
}

function overwritten(file: string, from: number, bytes: number): void {
  changed(file, "PRAGMA wal_checkpoint(TRUNCATE)");
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, from);
  closeSync(descriptor);
}
