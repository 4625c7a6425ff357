#!/usr/bin/env node
// Plain JavaScript that an old Node.js can read, so that it answers with a sentence instead of a syntax error.
const oldestNode = 22;

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  console.error(`node-too-old: errand needs Node.js ${oldestNode} or later, and this is ${process.version}; install a newer one and try again`);
  process.exitCode = 1;
} else {
  import("../dist/cli/main.js")
    .then(({ main }) => main(process.argv.slice(2)))
    .then(
      // What a worker's modules keep open must not keep the process.
      (code) => process.stderr.write("", () => process.stdout.write("", () => process.exit(code))),
      (error) => {
        console.error(error);
        process.exitCode = 1;
      },
    );
}
