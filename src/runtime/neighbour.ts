/** Files of this folder as URLs: `.ts` where the sources run, `.js` where the build does. */
export function neighbour(name: "beatThread" | "childEntry"): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${extension}`, import.meta.url);
}
