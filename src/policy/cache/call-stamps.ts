/** Largest call number a stamp can hold. */
const lastStamp = 0xffff;

/**
 * The number of the call after `call`. A stamp is the 16-bit number of the call that last used an object, 0 for none.
 * When numbers run out, all stamps become call 1: that still tells them from the current call and from none.
 */
export function nextStamp(call: number, stamps: Uint16Array): number {
  if (call < lastStamp) return call + 1;
  for (let id = 0; id < stamps.length; id++) if (stamps[id] !== 0) stamps[id] = 1;
  return 2;
}
