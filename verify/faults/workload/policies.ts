/** What the tasks of such a run promise, for those who look whether it was kept. */
export const bulkJobs = 100;
export const pacedStarts = 10;
export const pacedEvery = "2s";
export const pacedEveryMs = 2_000;
export const restoredName = "verify-undone";
