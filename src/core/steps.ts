/** A computation that pauses now and then, so that whoever runs it may do something else, or stop. */
export type Steps<T> = Generator<void, T, void>;

/** Runs such a computation without doing anything else. */
export function withoutPause<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
