/** A first-in-first-out line of numbers, a ring that doubles when full. */
export class Line {
  private ring = new Float64Array(1024);
  private head = 0;
  private tail = 0;

  get length(): number {
    return this.tail - this.head;
  }

  put(value: number): void {
    if (this.length === this.ring.length) this.grow();
    this.ring[this.tail++ & (this.ring.length - 1)] = value;
  }

  take(): number {
    return this.ring[this.head++ & (this.ring.length - 1)]!;
  }

  private grow(): void {
    const larger = new Float64Array(this.ring.length * 2);
    for (let i = this.head; i < this.tail; i++)
      larger[i & (larger.length - 1)] = this.ring[i & (this.ring.length - 1)]!;
    this.ring = larger;
  }
}
