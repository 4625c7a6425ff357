/** The tarball as a user gets it, installed in a folder of its own. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { inRoot, root } from "../../scripts/root.ts";

export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

export class Packed {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), "errand-package-"));
  /** What the tarball holds. */
  readonly files: readonly PackedFile[];
  readonly tarballBytes: number;

  constructor() {
    const [packed] = JSON.parse(this.#npm(root, "pack", "--json", "--silent", "--pack-destination", this.folder)) as [
      { filename: string; size: number; files: PackedFile[] },
    ];
    this.files = packed.files;
    this.tarballBytes = packed.size;
    writeFileSync(path.join(this.folder, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }));
    this.#npm(this.folder, "install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", path.join(this.folder, packed.filename));
    for (const types of ["@types/node", "undici-types"])
      cpSync(inRoot(`node_modules/${types}`), path.join(this.folder, "node_modules", types), { recursive: true });
    mkdirSync(path.join(this.folder, "src"));
  }

  /** Runs a program that stands beside the installed package; answers what it printed. */
  run(name: string, source: string, node: string = process.execPath): { readonly status: number; readonly printed: string } {
    writeFileSync(path.join(this.folder, name), source);
    return this.execute(node, [name]);
  }

  execute(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): { readonly status: number; readonly printed: string } {
    try {
      return {
        status: 0,
        printed: execFileSync(command, args, { cwd: this.folder, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 }),
      };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
      return { status: status ?? -1, printed: stdout + stderr };
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #npm(cwd: string, ...args: readonly string[]): string {
    // npm hands its own settings down to the npm it starts; these two would point it back at this clone.
    const { npm_config_local_prefix: _prefix, npm_package_json: _json, ...env } = process.env;
    return execFileSync("npm", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], shell: process.platform === "win32" });
  }
}
