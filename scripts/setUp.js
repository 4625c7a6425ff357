/**
 * Makes this clone ready, whatever Node.js started it: installs the locked dependencies, and finds among them a Node.js
 * that runs TypeScript as it stands. Plain JavaScript, since it runs before anything is known of the machine.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const oldestNode = 24;
const isWindows = process.platform === "win32";
/** A process that finds TypeScript stripped and compiled starts in a quarter of the CPU time; tests start hundreds. */
const compileCache = path.join(root, "node_modules", ".cache", "errand-compiled");

/** Sets the clone up if need be, runs `entry` on the right Node.js, and ends as it ends. */
export function runOnNode(entry, args) {
  const node = setUp();
  const bin = path.join(root, "node_modules", ".bin");
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env, PATH: bin + path.delimiter + (process.env.PATH || "") };
  const child = spawn(node, [entry, ...args], { cwd: root, stdio: "inherit", env });
  // A Ctrl-C reaches the child by itself, and it may have an ending of its own.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => fail(`${node} could not be started: ${String(error.message)}`));
  child.on("exit", (status, signal) => process.exit(status === null ? 128 + constants.signals[signal] : status));
}

/** Answers the path of a Node.js that is new enough. */
export function setUp() {
  if (!areDependenciesInstalled(root)) installDependencies();
  return (
    nodeOfTheProject() || nodeOfTheMachine() || fetchedNode() || fail(`Node.js ${oldestNode} or later is needed to work on errand; install one and try again`)
  );
}

/** As the lock file in `folder` says. */
export function areDependenciesInstalled(folder) {
  const installedFile = path.join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages;
  return Object.keys(wanted).every((name) => {
    if (name === "") return true;
    if (installed[name] === undefined) return wanted[name].optional === true;
    return installed[name].version === wanted[name].version;
  });
}

function installDependencies() {
  console.error("Installing the locked dependencies with npm ci (once; some 30 seconds) …");
  const started = process.hrtime();
  const { status, stdout, stderr } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: root, encoding: "utf8", shell: isWindows });
  if (status !== 0) fail(`npm ci failed.\n${stdout || ""}${stderr || ""}`);
  console.error(`Installed in ${process.hrtime(started)[0]} s.`);
}

/** The devDependency "node": its binary is fetched by its install script, which npm may have been told not to run. */
function nodeOfTheProject() {
  const folder = path.join(root, "node_modules", "node", "bin");
  return [path.join(folder, "node"), path.join(folder, "node.exe")].find(isNewEnough);
}

function nodeOfTheMachine() {
  return isNewEnough(process.execPath) ? process.execPath : undefined;
}

function fetchedNode() {
  console.error(`Fetching Node.js ${oldestNode}, since this one is ${process.version} …`);
  const folder = path.join(root, "node_modules", "node");
  spawnSync(process.execPath, ["installArchSpecificPackage.js"], { cwd: folder, stdio: "ignore" });
  // Now that there is a binary, link it into node_modules/.bin, where npm's scripts look first.
  spawnSync("npm", ["rebuild", "node", "--ignore-scripts"], { cwd: root, stdio: "ignore", shell: isWindows });
  return nodeOfTheProject();
}

function isNewEnough(node) {
  if (!existsSync(node)) return false;
  const { status, stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return status === 0 && Number.parseInt(stdout.slice(1), 10) >= oldestNode;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
