/**
 * Keeps replicas that were wanted a short time ago: they are taken away only down to the most that were wanted in a window,
 * as the Kubernetes autoscaler stabilises scaling down. More are had at once.
 */
export class Stabilised {
  readonly #windowNs: number;
  /** Recommendations of the window, each higher than all later ones. */
  readonly #wanted: { readonly atNs: number; readonly replicas: number }[] = [];
  #asked = false;

  constructor(windowNs: number) {
    this.#windowNs = windowNs;
  }

  /** Replicas to have where `wanted` are recommended now and `up` are up; those at the start count as recommended. */
  hold(atNs: number, up: number, wanted: number): number {
    if (!this.#asked) this.#recommend(atNs, up);
    this.#asked = true;
    while (this.#wanted.length > 0 && this.#wanted[0]!.atNs <= atNs - this.#windowNs) this.#wanted.shift();
    this.#recommend(atNs, wanted);
    return wanted >= up ? wanted : Math.min(up, this.#wanted[0]!.replicas);
  }

  #recommend(atNs: number, replicas: number): void {
    while ((this.#wanted.at(-1)?.replicas ?? Number.POSITIVE_INFINITY) <= replicas) this.#wanted.pop();
    this.#wanted.push({ atNs, replicas });
  }
}
