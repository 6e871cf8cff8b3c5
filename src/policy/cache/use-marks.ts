/**
 * Marks of objects, for policies that give a second chance: absent, resident without a use that counts, or else the number of the
 * call that last used it. A hand that passes a used one makes it idle, unless the call in progress used it.
 */
export const absent = 0;
export const idle = 1;
/** The number before the first call. */
export const beforeCalls = 1;
const lastCall = 0xffff;

/** The number of the call after `call`. When numbers run out, all earlier uses become one: it still tells them from idle. */
export function nextCall(call: number, marks: Uint16Array): number {
  if (call < lastCall) return call + 1;
  for (let id = 0; id < marks.length; id++) marks[id] = Math.min(marks[id]!, beforeCalls + 1);
  return beforeCalls + 2;
}
