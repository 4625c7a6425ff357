/** A clock that all processes of one machine share and that never goes back (CLOCK_MONOTONIC), in ms with fractions: what it says in two processes can be compared. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
