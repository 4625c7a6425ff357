/** What the note of a pause says: why. Since when, the note itself tells. */
export const pauseValue = (reason: string): string => JSON.stringify({ reason });
/** "": none was given. */
export const reasonOfPause = (value: string): string => (JSON.parse(value) as { readonly reason?: string }).reason ?? "";
