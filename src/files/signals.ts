import { exitCodes } from "../core/errors.ts";

/** Signals by which a person or a system asks a process to end, and the exit code that says so. */
const endCodes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

export type EndCode = (typeof endCodes)[keyof typeof endCodes];

let watcher: ((code: EndCode) => void) | null = null;
let cleaning = false;
let suspended = 0;
let attached = false;

const onInterrupt = () => onSignal(endCodes.SIGINT);
const onTerminate = () => onSignal(endCodes.SIGTERM);

/**
 * A signal is handled while somebody has something to keep or to clean up. At any other time it ends the process at once,
 * also in the middle of a long computation, and a shell sees the same exit code.
 */
function attach(): void {
  const wanted = cleaning || (watcher !== null && suspended === 0);
  if (wanted === attached) return;
  attached = wanted;
  const change = wanted ? process.on.bind(process) : process.off.bind(process);
  change("SIGINT", onInterrupt);
  change("SIGTERM", onTerminate);
}

function onSignal(code: EndCode): void {
  if (watcher === null) process.exit(code);
  watcher(code);
}

/** Hands signals to `watch` until it is called with null. */
export function watchSignals(watch: ((code: EndCode) => void) | null): void {
  watcher = watch;
  attach();
}

/** While there is something to clean up, a signal that nobody watches ends the process through its exit handlers. */
export function cleanUpOnSignals(needed: boolean): void {
  cleaning = needed;
  attach();
}

/**
 * A long computation in one stretch, during which no handler could run: a signal ends the process, as there is nothing
 * of the computation to keep.
 */
export function inOneStretch<T>(compute: () => T): T {
  suspended += 1;
  attach();
  try {
    return compute();
  } finally {
    suspended -= 1;
    attach();
  }
}
