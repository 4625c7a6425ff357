/** Where this clone stands. */
import path from "node:path";

export const root = path.dirname(import.meta.dirname);

export function inRoot(relative: string): string {
  return path.join(root, relative);
}
