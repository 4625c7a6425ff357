/** Walks over rows that may be too many for one commit, as they are stored: told in sqlite's ties.ts. */
export const passKinds = { members: 1, children: 2, kept: 3, followers: 4, look: 5 } as const;
