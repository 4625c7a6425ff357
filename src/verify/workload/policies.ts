/** What the tasks of a run promise, for those who look whether it was kept. */
export const retryFirstMs = 200;
export const doomedAttempts = 2;
export const plainAttempts = 4;
export const limitedTo = 3;
