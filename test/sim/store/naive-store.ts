/** A copy in a tier, as plainly as it can be said. */
interface Entry {
  readonly key: number;
  readonly bytes: number;
  endNs: number;
  pins: number;
}

/** Reference of `TierStore` under LRU: entries in a list, least recent first. */
export class NaiveStore {
  entries: Entry[] = [];
  readonly capacityBytes: number;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  find(key: number): Entry | undefined {
    return this.entries.find((entry) => entry.key === key);
  }

  at(key: number, atNs: number): string {
    const entry = this.find(key);
    return entry === undefined ? "absent" : entry.endNs > atNs ? "arriving" : "resident";
  }

  get usedBytes(): number {
    return this.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  use(key: number): void {
    const entry = this.find(key)!;
    this.entries = [...this.entries.filter((other) => other !== entry), entry];
  }

  arrive(key: number, bytes: number, atNs: number, endNs: number): boolean {
    let left = this.entries;
    const used = () => left.reduce((sum, entry) => sum + entry.bytes, 0);
    while (this.capacityBytes - used() < bytes) {
      const victim = left.find((entry) => entry.pins === 0 && entry.endNs <= atNs);
      if (victim === undefined) return false;
      left = left.filter((entry) => entry !== victim);
    }
    this.entries = [...left, { key, bytes, endNs, pins: 0 }];
    return true;
  }

  evict(key: number): void {
    this.entries = this.entries.filter((entry) => entry.key !== key);
  }
}
