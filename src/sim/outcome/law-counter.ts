/** How often each always-on law was checked. */
export class LawCounter {
  readonly counts: Record<string, number> = {};
  count(law: string, times = 1): void {
    this.counts[law] = (this.counts[law] ?? 0) + times;
  }
}
