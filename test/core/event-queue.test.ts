import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InfeasibleError, InvariantError } from "../../src/core/errors.ts";
import { EventQueue } from "../../src/core/event-queue.ts";
import { drawn } from "../drawn.ts";

interface Event {
  atNs: number;
  priority: number;
  kind: number;
  payload: number;
}

function drain(queue: EventQueue): Event[] {
  const events: Event[] = [];
  while (queue.pop()) {
    const { atNs, priority, kind, payload } = queue;
    events.push({ atNs, priority, kind, payload });
  }
  return events;
}

const event = fc.record({
  atNs: fc.oneof(fc.nat(5), fc.nat(1000), fc.maxSafeNat()),
  priority: fc.integer({ min: -128, max: 127 }),
  kind: fc.nat(10),
});

describe("the event queue", () => {
  test("orders by time, then priority, then order of pushing", () => {
    const queue = new EventQueue(1);
    const pushes = [
      [5, 0, 1],
      [3, 1, 2],
      [3, -1, 3],
      [3, 1, 4],
      [0, 127, 5],
      [3, -1, 6],
    ] as const;
    for (const [atNs, priority, payload] of pushes) queue.push(atNs, priority, 0, payload);
    expect(queue.peekNs()).toBe(0);
    expect(drain(queue).map((e) => e.payload)).toEqual([5, 3, 6, 2, 4, 1]);
  });

  test("gives what a stable sort gives", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const queue = new EventQueue(2);
        const pushed = events.map((e, payload) => ({ ...e, payload }));
        for (const e of pushed) queue.push(e.atNs, e.priority, e.kind, e.payload);
        expect(queue.size).toBe(pushed.length);
        const sorted = pushed.toSorted((a, b) => a.atNs - b.atNs || a.priority - b.priority);
        expect(drain(queue)).toEqual(sorted);
        expect(queue.size).toBe(0);
      }),
      { numRuns: drawn(300) },
    );
  });

  test("agrees with a sorted list when pushes and pops alternate", () => {
    const step = fc.option(fc.record({ delayNs: fc.nat(20), priority: fc.integer({ min: -2, max: 2 }) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const queue = new EventQueue();
        let list: Event[] = [];
        steps.forEach((next, payload) => {
          if (next === null) {
            const first = list.shift();
            expect(queue.pop()).toBe(first !== undefined);
            if (first !== undefined) expect(queue).toMatchObject(first);
          } else {
            const pushed = { atNs: queue.atNs + next.delayNs, priority: next.priority, kind: 1, payload };
            queue.push(pushed.atNs, pushed.priority, pushed.kind, pushed.payload);
            list = [...list, pushed].sort((a, b) => a.atNs - b.atNs || a.priority - b.priority);
          }
          expect(queue.peekNs()).toBe(list[0]?.atNs ?? Infinity);
        });
      }),
      { numRuns: drawn(200) },
    );
  });

  test("keeps any payload and kind exactly", () => {
    const queue = new EventQueue();
    queue.push(2 ** 53 - 1, 0, -7, 2 ** 40 + 1);
    expect(drain(queue)).toEqual([{ atNs: 2 ** 53 - 1, priority: 0, kind: -7, payload: 2 ** 40 + 1 }]);
  });

  test.each([Infinity, 2 ** 53, 1e300])("has no time as late as %s: a run that long is infeasible", (atNs) => {
    const queue = new EventQueue();
    expect(() => queue.push(atNs, 0, 0, 0)).toThrow(InfeasibleError);
    expect(queue.size).toBe(0);
  });

  test.each([0.5, -1, NaN])("refuses the time %s", (atNs) => {
    const queue = new EventQueue();
    expect(() => queue.push(atNs, 0, 0, 0)).toThrow(InvariantError);
    expect(queue.size).toBe(0);
  });

  test("refuses an event before the clock", () => {
    const queue = new EventQueue();
    queue.push(10, 0, 0, 0);
    queue.pop();
    expect(() => queue.push(9, 0, 0, 0)).toThrow(/clock-monotone/);
    queue.push(10, 0, 0, 0);
    expect(queue.size).toBe(1);
  });

  test.each([128, -129, 0.5, NaN])("refuses the priority %s", (priority) => {
    expect(() => new EventQueue().push(0, priority, 0, 0)).toThrow(InvariantError);
  });
});
