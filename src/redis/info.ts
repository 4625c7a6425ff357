/** What a server tells of itself. */

export type Info = Readonly<Record<string, string>>;

/** The answer of INFO. */
export function infoOf(text: unknown): Info {
  const lines = String(text).matchAll(/^([\w-]+):(.*?)\r?$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = "", value = ""]) => [name, value]));
}
