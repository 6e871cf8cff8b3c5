/** Nanoseconds of a clock that never goes back. */
export const steadyNs = (): number => Number(process.hrtime.bigint());
