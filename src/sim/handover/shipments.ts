/** KV caches on their way, under dense ids that are given away again. */
export class Shipments {
  /** [id] */
  request = new Int32Array(16);
  /** [id] time that the receiving link takes, its bytes, and when the sending link is through, ns. */
  receiveNs = new Float64Array(16);
  receiveBytes = new Float64Array(16);
  sentNs = new Float64Array(16);
  private readonly free: number[] = [];
  private ids = 0;

  add(request: number): number {
    const id = this.free.pop() ?? this.ids++;
    if (id === this.request.length) this.grow();
    this.request[id] = request;
    return id;
  }

  release(id: number): void {
    this.free.push(id);
  }

  private grow(): void {
    const size = 2 * this.request.length;
    const request = new Int32Array(size);
    request.set(this.request);
    this.request = request;
    for (const key of ["receiveNs", "receiveBytes", "sentNs"] as const) {
      const values = new Float64Array(size);
      values.set(this[key]);
      this[key] = values;
    }
  }
}
