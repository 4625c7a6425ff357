/** Which flags of its parent a child process starts with. */

const ofOneProcess = /^--(?:inspect|test|watch)/;
const scripts: readonly string[] = ["-e", "--eval", "-p", "--print", "-pe"];

/**
 * What the app was started with, such as a memory limit or a loader. A debugger's port or a test runner serves one process only: these are left out,
 * with the value that stands apart from its flag, or the child would be started on that as its script.
 */
export function inheritedFlags(flags: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < flags.length; index++) {
    const flag = flags[index] ?? "";
    if (scripts.includes(flag)) index++;
    else if (!ofOneProcess.test(flag)) kept.push(flag);
    else if (!flag.includes("=") && hasValue(flags[index + 1])) index++;
  }
  return kept;
}

function hasValue(next: string | undefined): boolean {
  return next !== undefined && !next.startsWith("-");
}
