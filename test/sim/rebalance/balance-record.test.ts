import { expect, it } from "vitest";
import { BalanceRecord } from "../../../src/sim/rebalance/balance-record.ts";

it("balancedness sums layers before it divides, use of ranks divides before it averages; a layer without work is well used", () => {
  const record = new BalanceRecord();
  expect(record.utilisation).toBe(1);
  record.add(Float64Array.of(3, 1, 10, 0, 0, 0), 2, "before");
  expect(record.before).toEqual({ passes: 1, balancedness: (2 + 5) / (3 + 10) });
  expect(record.utilisation).toBeCloseTo((2 / 3 + 1 / 2 + 1) / 3, 12);
  record.add(Float64Array.of(1, 1, 1, 1, 1, 1), 2, "between");
  expect([record.before.passes, record.after.passes]).toEqual([1, 0]);
  record.forget();
  expect(record.utilisation).toBe(1);
});
