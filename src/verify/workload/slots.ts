/** The schedules of a run, and how far apart their slots are. */
export const everySecondName = "verify-every-second";
export const everyOtherName = "verify-every-other";

export const slotEveryMs: Readonly<Record<string, number>> = { [everySecondName]: 1_000, [everyOtherName]: 2_000 };
