/** Runs a program with a file system of its own, which nobody else sees and which is gone when it ends. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

const namespaces: readonly (readonly string[])[] = [
  ["unshare", "--mount"],
  ["unshare", "--map-root-user", "--mount"],
];

/** As root, or as one's own root where the machine lets users be that. */
const namespace = namespaces.find(([program = "", ...args]) => spawnSync(program, [...args, "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0);

/** Why nothing can be mounted here; undefined if it can. */
export const mountMissing: string | undefined =
  namespace === undefined ? "this user may mount nothing, not even in a namespace of its own (unshare --map-root-user --mount)" : undefined;

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** `mounting`: shell commands that mount at `$0`; then `program`. */
export async function mounted(mounting: string, folder: string, program: readonly string[], timeoutMs: number): Promise<Said> {
  if (namespace === undefined) throw new Error(mountMissing);
  const [unshare = "", ...args] = namespace;
  const child = spawn(unshare, [...args, "sh", "-c", `${mounting} && exec "$@"`, folder, ...program], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  const said = { out: "", error: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.error += text));
  await once(child, "close");
  return { code: child.exitCode, ...said };
}
