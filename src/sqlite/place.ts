/** Where the file is: whether that place keeps it safe, and whether it is still the same file. */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ErrandError } from "../core/errors.ts";

/** Linux `statfs` types of file systems whose locks or shared memory WAL cannot rely on. */
const unsafeFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
]);

export interface Identity {
  readonly device: bigint;
  readonly inode: bigint;
}

export function pathOf(file: string): string {
  if (file === "" || file === ":memory:" || file.startsWith("file:")) {
    throw new ErrandError("option-invalid", `"${file}" is not the path of a file; name one, or use the memory engine`);
  }
  const path = resolve(file);
  if (existsSync(dirname(path))) return path;
  throw new ErrandError("option-invalid", `the directory of ${path} does not exist; create it first`);
}

export function refuseUnsafePlace(path: string, typeOf: (directory: string) => number = fileSystemType): void {
  const unsafe = unsafeFileSystems.get(typeOf(dirname(path)) >>> 0);
  if (unsafe === undefined) return;
  throw new ErrandError(
    "store-unsafe",
    `${path} is on ${unsafe}, where SQLite's WAL is known to lose data; use a local disk, or pass { unsafeFileSystem: true }`,
  );
}

export function refuseReadOnly(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
    if (existsSync(path)) accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new ErrandError("store-readonly", `${path} cannot be written; give this process write permission on it and on its directory`, { cause });
  }
}

/** Undefined when there is no such file. */
export function identityOf(path: string): Identity | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && { device: stat.dev, inode: stat.ino };
}

export function isSameFile(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device;
}

/** 0 where types mean something else than on Linux. */
function fileSystemType(directory: string): number {
  return process.platform === "linux" ? statfsSync(directory).type : 0;
}
