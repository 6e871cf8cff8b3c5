/**
 * Transfers between the devices of a replica in one stage, in order of time, as they are with nobody else on their
 * links.
 */
export class Crossings {
  count = 0;
  /** [count] begin, from the start of the stage, and time for which the links are taken, ns; bytes of a device. */
  atNs = new Float64Array(64);
  ns = new Float64Array(64);
  bytes = new Float64Array(64);

  clear(): void {
    this.count = 0;
  }

  add(atNs: number, ns: number, bytes: number): void {
    if (this.count === this.atNs.length) this.grow();
    this.atNs[this.count] = atNs;
    this.ns[this.count] = ns;
    this.bytes[this.count++] = bytes;
  }

  /** Adds the transfers from number `first` on `times` times more, each time `periodNs` later. */
  repeat(first: number, times: number, periodNs: number): void {
    const end = this.count;
    for (let time = 1; time <= times; time++)
      for (let i = first; i < end; i++) this.add(this.atNs[i]! + time * periodNs, this.ns[i]!, this.bytes[i]!);
  }

  private grow(): void {
    for (const key of ["atNs", "ns", "bytes"] as const) {
      const larger = new Float64Array(2 * this[key].length);
      larger.set(this[key]);
      this[key] = larger;
    }
  }
}
