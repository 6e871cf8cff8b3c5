import fc from "fast-check";
import { expect, test } from "vitest";
import { PriorityLists } from "../../src/policy/cache/priority-lists.ts";

const objects = 12;
const id = fc.nat(objects - 1);
/** Within the window of so few objects, and beyond it. */
const above = fc.oneof(fc.nat(4), fc.nat(200), fc.constantFrom(1000, 1001, 2 ** 40));
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), id, above }),
  fc.record({ kind: fc.constant("set" as const), id, above }),
  fc.record({ kind: fc.constant("remove" as const), id }),
  fc.record({ kind: fc.constant("removeFirst" as const), count: fc.nat(objects) }),
  fc.constant({ kind: "moveWindow" as const }),
);

test("priority lists give ids by priority, then by when they got it, however far apart priorities are", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const lists = new PriorityLists(objects);
      const naive = new Map<number, number>();
      const order = () => [...naive].sort((a, b) => a[1] - b[1]).map(([each]) => each);
      let least = 1;
      for (const each of steps) {
        if (each.kind === "set") {
          if (lists.has(each.id)) lists.change(each.id, least + each.above);
          else lists.add(each.id, least + each.above);
          naive.delete(each.id);
          naive.set(each.id, least + each.above);
        } else if (each.kind === "moveWindow") {
          lists.moveWindow();
          least = naive.get(order()[0] ?? -1) ?? least;
        } else
          for (const gone of each.kind === "remove" ? [each.id] : order().slice(0, each.count)) {
            if (naive.delete(gone)) lists.remove(gone);
          }
        const found: number[] = [];
        for (let at = lists.first(); at >= 0; at = lists.after(at)) found.push(at);
        expect(found).toEqual(order());
        for (const [member, priority] of naive) expect(lists.priorityOf(member)).toBe(priority);
        for (let other = 0; other < objects; other++) expect(lists.has(other)).toBe(naive.has(other));
      }
    }),
  );
});
