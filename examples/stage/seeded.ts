/** Chance that comes out the same on every run: a number in [0, 1) for a seed and whatever tells one draw from another. */
export function drawn(...parts: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const character of parts.join("/")) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return mixed(hash) / 2 ** 32;
}

/** FNV-1a alone leaves the high bits of similar texts alike; the end of MurmurHash3 spreads them. */
function mixed(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
