import { setImmediate } from "node:timers/promises";

/** A turn of the event loop, in which signals are heard: computing may block it for long. Rejects when `signal` is aborted. */
export async function turn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}
