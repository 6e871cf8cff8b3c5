import { setImmediate } from "node:timers/promises";
import type { Steps } from "../core/steps.ts";

/** Lets signals and timers of the process be served. */
export const giveWay = (): Promise<void> => setImmediate();

/** Runs a computation that pauses now and then, giving way at each pause; an aborted signal ends it with its reason. */
export async function cooperatively<T>(computation: Steps<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    const { done, value } = computation.next();
    if (done === true) return value;
    await giveWay();
    signal?.throwIfAborted();
  }
}

/** What a promise gives, or at once the reason of a signal that is aborted before. */
export async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(signal.reason as Error);
    stop = () => signal.removeEventListener("abort", fail);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}
