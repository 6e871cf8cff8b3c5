/** Largest call number a stamp can hold. */
const lastStamp = 0xffff;

/**
 * The number of the call after `call`. Stamps are 16-bit call numbers, 0 for "not resident"; when they run out, every
 * resident object becomes one of call 1, which only matters for telling it from the current call.
 */
export function nextStamp(call: number, stamps: Uint16Array): number {
  if (call < lastStamp) return call + 1;
  for (let id = 0; id < stamps.length; id++) if (stamps[id] !== 0) stamps[id] = 1;
  return 2;
}
