import { EventQueue } from "../src/core/event-queue.ts";
import { RandomStream } from "../src/core/random.ts";
import { simulateFcfs } from "../test/laws/queueing/fcfs.ts";
import { exponential } from "../test/laws/queueing/service.ts";
import { type BenchRow, medianOf } from "./bench.ts";

const runs = 5;
const holds = 1_000_000;
const customers = 1_000_000;

/** The calibration: a binary heap of event objects with a comparator, as one would write it first. */
class ObjectHeap {
  private readonly events: { atNs: number; priority: number; sequence: number; payload: number }[] = [];
  private sequence = 0;

  push(atNs: number, priority: number, payload: number): void {
    const { events } = this;
    const added = { atNs, priority, sequence: this.sequence++, payload };
    let at = events.push(added) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.compare(parent, at) <= 0) break;
      this.swap(parent, at);
      at = parent;
    }
  }

  pop(): { atNs: number; payload: number } | undefined {
    const { events } = this;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined || events.length === 0) return first;
    events[0] = last;
    let at = 0;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < events.length && this.compare(child, least) < 0) least = child;
      if (least === at) return first;
      this.swap(at, least);
      at = least;
    }
  }

  private compare(i: number, j: number): number {
    const a = this.events[i]!;
    const b = this.events[j]!;
    return a.atNs - b.atNs || a.priority - b.priority || a.sequence - b.sequence;
  }

  private swap(i: number, j: number): void {
    const { events } = this;
    [events[i], events[j]] = [events[j]!, events[i]!];
  }
}

const holdDelays = new RandomStream(1, "hold");
/** Delays drawn beforehand, so that the hold model measures the event list alone. */
const delaysNs = Float64Array.from({ length: 1 << 16 }, () => Math.round(1e6 * holdDelays.exponential()));

/** Hold model: with n events pending, pop the first and push it again after a random delay. */
function holdQueue(pending: number): void {
  const queue = new EventQueue(pending);
  for (let i = 0; i < pending; i++) queue.push(delaysNs[i & 0xffff]!, 0, 0, i);
  for (let i = 0; i < holds; i++) {
    queue.pop();
    queue.push(queue.atNs + delaysNs[(i + pending) & 0xffff]!, 0, 0, queue.payload);
  }
}

function holdObjects(pending: number): void {
  const heap = new ObjectHeap();
  for (let i = 0; i < pending; i++) heap.push(delaysNs[i & 0xffff]!, 0, i);
  for (let i = 0; i < holds; i++) {
    const event = heap.pop();
    if (event !== undefined) heap.push(event.atNs + delaysNs[(i + pending) & 0xffff]!, 0, event.payload);
  }
}

/** Event queue under the hold model at three sizes, and M/M/1 customers through the queue, a resource and streams. */
export async function bench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [10, 1000, 100_000].map((pending) => {
    const seconds = medianOf(runs, () => holdQueue(pending));
    const calibration = medianOf(runs, () => holdObjects(pending));
    return {
      name: `event queue, hold, ${pending} pending`,
      value: holds / seconds / 1e6,
      unit: "M holds/s",
      ratio: calibration / seconds,
      ratioTo: "heap of objects",
    };
  });
  const seconds = medianOf(runs, () => {
    simulateFcfs(1, exponential, 0, 0.8, { warmUp: 0, customers }, new RandomStream(1, "bench"));
  });
  rows.push({ name: "M/M/1 at utilisation 0.8", value: customers / seconds / 1e6, unit: "M customers/s" });
  return rows;
}
