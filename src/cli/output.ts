/** What commands print: results on stdout, everything else on stderr; colours only where a terminal shows them. */
import { styleText } from "node:util";
import { plain } from "./plain.ts";

export type Style = Parameters<typeof styleText>[0];

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What a program that reads JSON does not need, and what matches nothing. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function complain(text: string): void {
  const lines = text.split("\n").map(plain);
  process.stderr.write(`${paint("red", "errand:", process.stderr)} ${lines.join("\n  ")}\n`);
}

export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY && stream.hasColors() ? styleText(style, text, { validateStream: false }) : text;
}

/** Of the terminal that reads stdout; undefined where none does, and nothing is cut. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** A reader that has seen enough, such as `head`, is no failure, and a worker must not drop its jobs because nobody reads its log any more. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
