/** Stored texts as a terminal may see them: they cannot move its cursor, colour it, or turn the reading direction round. */

const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** On one line; what would act on the terminal is made visible. */
export function plain(text: string): string {
  return text.replace(/[\t\n\r]+/g, " ").replace(unprintable, visible);
}

/** Line by line, each indented. */
export function indented(text: string, linesMax: number): string {
  const lines = text.split(/\r?\n/);
  const shown = lines.slice(0, linesMax).map((line) => `  ${plain(line)}`);
  if (lines.length > linesMax) shown.push(`  … ${lines.length - linesMax} more lines; --json has all`);
  return shown.join("\n");
}

/** JSON.stringify escapes only half of what acts on a terminal; the rest may be escaped as well. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(/[\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escaped);
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : escaped(character);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
