/** Which Node.js is needed. Asked first: on an older one a driver may end the process without a word. */
import { ErrandError } from "../core/errors.ts";

const oldest = 22;

/** Throws `node-too-old`. */
export function checkNodeVersion(version: string = process.versions.node): void {
  if (Number.parseInt(version, 10) >= oldest) return;
  throw new ErrandError(
    "node-too-old",
    `errand needs Node.js ${oldest} or later and this is ${version}; install a newer one, as in "nvm install ${oldest + 2}"`,
    { details: { version } },
  );
}
