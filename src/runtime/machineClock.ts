/** A clock that all processes of one machine share and that never goes back (CLOCK_MONOTONIC), in ms and thousandths: what it says in two processes can be compared. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
