/** Largest call number a stamp can hold. */
const lastStamp = 0xffff;

/**
 * The number of the call after `call`. Stamps are 16-bit numbers of the call an object was last used in, 0 for none;
 * when they run out, all become call 1, which still tells them from the current call and from none.
 */
export function nextStamp(call: number, stamps: Uint16Array): number {
  if (call < lastStamp) return call + 1;
  for (let id = 0; id < stamps.length; id++) if (stamps[id] !== 0) stamps[id] = 1;
  return 2;
}
