/** How the reference writes a value of src/core/defaults.ts. */
const units: readonly (readonly [string, number])[] = [
  ["d", 24 * 60 * 60_000],
  ["h", 60 * 60_000],
  ["min", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

export function inWords(name: string, value: unknown): string {
  if (typeof value === "string") return `\`"${value}"\``;
  if (typeof value === "object" && value !== null)
    return Object.entries(value)
      .map(([key, one]) => `${key} ${inWords(name, one)}`)
      .join(", ");
  if (typeof value !== "number") throw new Error(`${name} is ${String(value)}: the reference has no words for that`);
  if (name.endsWith("Ms")) return duration(value);
  if (/Bytes|errorMessageMax|errorStackMax/.test(name)) return `${value / 1_024} KiB`;
  return number(value);
}

function duration(ms: number): string {
  if (ms < 0) return `−${duration(-ms)}`;
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? ["", 1];
  return `${number(ms / size)} ${unit}`.trimEnd();
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
