/** How a line looks: by its colour, its mark and its dashes, each of which tells it from the others. */
export interface Look {
  /** Of its class. */
  readonly name: string;
  readonly isOwn: boolean;
  /** As an attribute. */
  readonly dashes: string;
  readonly mark: (x: number, y: number) => string;
}

interface Colour {
  readonly light: string;
  readonly dark: string;
}

const own: Colour = { light: "#0b6bcb", dark: "#6bb4ff" };
const peers: readonly Colour[] = [
  { light: "#c2570c", dark: "#ff9d5c" },
  { light: "#2c7a3f", dark: "#6fd08a" },
  { light: "#8a3fb0", dark: "#d29bf0" },
  { light: "#a8324a", dark: "#ff8fa3" },
];
const bare: Colour = { light: "#6b7280", dark: "#9aa4b2" };

const circle = (name: string) => (x: number, y: number) => `<circle class="mark ${name}" cx="${x}" cy="${y}" r="4"/>`;
const polygon =
  (name: string, corners: readonly (readonly [number, number])[]) =>
  (x: number, y: number): string =>
    `<polygon class="mark ${name}" points="${corners.map(([dx, dy]) => `${x + dx},${y + dy}`).join(" ")}"/>`;
const square = [
  [-3.6, -3.6],
  [3.6, -3.6],
  [3.6, 3.6],
  [-3.6, 3.6],
] as const;
const triangle = [
  [0, -5],
  [4.6, 3.5],
  [-4.6, 3.5],
] as const;
const diamond = [
  [0, -5],
  [5, 0],
  [0, 5],
  [-5, 0],
] as const;
const upsideDown = triangle.map(([x, y]) => [x, -y] as const);
const corners = [square, triangle, diamond, upsideDown];
const dashes = ["", ' stroke-dasharray="7 3"', ' stroke-dasharray="2 3"', ' stroke-dasharray="9 3 2 3"'];

/** errand, its peers in their order, and the bare driver. */
export function looksOf(systems: readonly string[]): ReadonlyMap<string, Look> {
  const others = systems.filter((system) => !isOwn(system) && !isBare(system));
  return new Map(systems.map((system) => [system, lookOf(system, others.indexOf(system) % peers.length)]));
}

export const paletteStyle = [["own0", own] as const, ["bare", bare] as const, ...peers.map((peer, index) => [`peer${index}`, peer] as const)]
  .flatMap(([name, { light, dark }]) => [rule(name, light), `\n  @media (prefers-color-scheme: dark) {${rule(name, dark)}\n  }`])
  .join("");

function lookOf(system: string, index: number): Look {
  if (isOwn(system)) return { name: "own0", isOwn: true, dashes: "", mark: circle("own0") };
  if (isBare(system)) return { name: "bare", isOwn: false, dashes: ' stroke-dasharray="4 4"', mark: circle("bare") };
  const name = `peer${index}`;
  return { name, isOwn: false, dashes: dashes[index] ?? "", mark: polygon(name, corners[index] ?? square) };
}

function rule(name: string, colour: string): string {
  return `\n  .${name} { stroke: ${colour}; } text.${name} { fill: ${colour}; stroke: none; } .mark.${name} { fill: ${colour}; } .band.${name} { fill: ${colour}; stroke: none; }`;
}

function isOwn(system: string): boolean {
  return system.startsWith("errand");
}

function isBare(system: string): boolean {
  return system.startsWith("bare");
}
