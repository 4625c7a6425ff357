/** How many columns of a terminal a text takes: most characters one, East Asian ones and emoji two, combining ones none. */

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\ufe0f/u;
const segmenter = new Intl.Segmenter();

export function textWidth(text: string): number {
  if (isNarrow(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += widthOf(segment);
  return width;
}

/** At most `width` columns; what was cut ends in "…". */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (isNarrow(text)) return `${text.slice(0, Math.max(0, width - 1))}…`;
  let kept = "";
  let used = 1;
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

export function pad(text: string, width: number, toTheRight: boolean = false): string {
  const spaces = " ".repeat(Math.max(0, width - textWidth(text)));
  return toTheRight ? spaces + text : text + spaces;
}

function isNarrow(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function widthOf(segment: string): number {
  return wide.test(segment) ? 2 : 1;
}
