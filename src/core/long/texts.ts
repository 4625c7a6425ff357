/** JSON texts by name, and how many bytes they make together: so that a change costs no walk over the rest. */
export class Texts {
  readonly #texts: Map<string, string>;
  #bytes = 0;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#texts = new Map();
    for (const [name, value] of Object.entries(values)) this.set(name, JSON.stringify(value));
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#texts.size === 0;
  }

  get names(): string[] {
    return [...this.#texts.keys()];
  }

  get(name: string): string | undefined {
    return this.#texts.get(name);
  }

  /** Undefined removes it. */
  set(name: string, text: string | undefined): void {
    this.#bytes += bytesOf(name, text) - bytesOf(name, this.#texts.get(name));
    if (text === undefined) this.#texts.delete(name);
    else this.#texts.set(name, text);
  }

  /** An object of all, as JSON. */
  get text(): string {
    return `{${Array.from(this.#texts, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
  }
}

/** The quotes, the colon and the comma around it. */
const around = 4;

function bytesOf(name: string, text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(name) + Buffer.byteLength(text) + around;
}
