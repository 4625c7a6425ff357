/**
 * The story's time: real time, moved to the morning of 1 November 2026, when the month has ended everywhere between Auckland and Los Angeles,
 * and the clocks of Los Angeles are about to go back.
 */
export const storyStartsAt: number = Date.UTC(2026, 10, 1, 8, 59, 56);
export const month = "2026-10";
/** Between an invoice and its charge customers have time to object: days, if this were not a story. */
export const timeToObject = { inSeconds: 3 } as const;

/** In ms since 1970. Every process of a run is given the same offset. */
export function now(): number {
  return Date.now() + Number(process.env["CLOSE_CLOCK_OFFSET_MS"] ?? 0);
}

/** For a run that starts at this very moment. */
export function offsetOfStory(): number {
  return storyStartsAt - Date.now();
}
