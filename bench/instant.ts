/** Microseconds on a clock that all processes of a machine share: the id of a job can be when it was handed over. */
export function instant(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
