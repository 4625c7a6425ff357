/** What the two stores of a run are called on their server. */
export const own = "faults";
export const beside = "beside";
