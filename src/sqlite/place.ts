/** Where the file is: whether that place keeps it safe, and whether it is still the same file. */
import { accessSync, constants, existsSync, lstatSync, readlinkSync, realpathSync, statfsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ErrandError } from "../core/errors.ts";

/** Linux `statfs` types of file systems whose locks or shared memory WAL cannot rely on: those of several machines, or of a machine and its guests. */
const unsafeFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x00c36400, "CephFS"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x19830326, "BeeGFS"],
  [0x20030528, "OrangeFS"],
  [0x786f4256, "a VirtualBox shared folder"],
  [0xbacbacbc, "a VMware shared folder"],
]);

/** As many as Linux follows. */
const linksMax = 40;

export interface Identity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** Where the file itself is, whatever links lead to it: there SQLite keeps its log. */
export function pathOf(file: string): string {
  if (file === "" || file === ":memory:" || file.startsWith("file:")) {
    throw new ErrandError("option-invalid", `"${file}" is not the path of a file; name one, or use the memory engine`);
  }
  return withoutLinks(resolve(file));
}

/** Also where the file is not there yet. */
function withoutLinks(path: string, linksLeft = linksMax): string {
  if (existsSync(path)) return realpathSync(path);
  if (linksLeft === 0) throw new ErrandError("option-invalid", `${path} is a link that leads nowhere; name the file itself`);
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : undefined;
  if (!existsSync(dirname(path))) throw new ErrandError("option-invalid", `the directory of ${path} does not exist; create it first`);
  return link === undefined ? join(realpathSync(dirname(path)), basename(path)) : withoutLinks(resolve(dirname(path), link), linksLeft - 1);
}

export function refuseUnsafePlace(path: string, typeOf: (place: string) => number = fileSystemType): void {
  // A single file may be mounted from elsewhere, as into a container.
  const places = existsSync(path) ? [dirname(path), path] : [dirname(path)];
  const unsafe = places.map((place) => unsafeFileSystems.get(typeOf(place) >>> 0)).find((name) => name !== undefined);
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
function fileSystemType(place: string): number {
  return process.platform === "linux" ? statfsSync(place).type : 0;
}
