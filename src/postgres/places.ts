/** Where a live member of a lane stands: told in lane.ts. */
export const places = { blocked: 0, admitted: 1, parked: 2, head: 3 } as const;
