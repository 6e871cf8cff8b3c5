import { expect, test } from "vitest";
import type { KernelGroupError } from "../../../src/validate/kernels/kernel-groups.ts";
import { kernelsElsewhere } from "../../../src/validate/kernels/kernels-elsewhere.ts";

const level = (device: string | null, value: number): KernelGroupError => ({
  group: "experts",
  device,
  error: { rows: 9, mean: 0, median: 0, p90: 0, bias: 0 },
  level: value,
  heldOut: null,
  leftOutRows: 0,
});

/** On three GPUs without a measured relative. */
const alone = (levels: readonly number[]) =>
  ["a100-sxm", "l40s", "rtx-pro-6000"].flatMap((device) => levels.map((value) => level(device, value)));

test("the band of kernels elsewhere is made of the GPUs without a relative, and moves to the side their levels lie on", () => {
  const slower = alone([1.2, 1.3, 1.5, 1.6]);
  const [low, high] = kernelsElsewhere(slower, 0.8);
  expect(low).toBe(1);
  expect(high).toBeGreaterThan(1.5);
  const others = [level(null, 9), ...["h100-sxm", "h200-sxm", "b200-sxm", "gb200"].map((id) => level(id, 0.1))];
  expect(kernelsElsewhere([...slower, ...others], 0.8)).toEqual([low, high]);
});

test("a GPU whose relatives nobody measured has none", () => {
  const others = ["l40s", "rtx-pro-6000"].flatMap((device) => [1, 1.1].map((value) => level(device, value)));
  const slow = [1.8, 1.9].map((value) => level("a100-sxm", value));
  expect(kernelsElsewhere([...others, ...slow], 0.8)[1]).toBeGreaterThan(kernelsElsewhere(others, 0.8)[1]);
});

test("GPUs that differ say less of the next one than their kernels do", () => {
  const same = kernelsElsewhere(alone([0.8, 1, 1.25]), 0.8);
  const apart = kernelsElsewhere(
    ["a100-sxm", "l40s", "rtx-pro-6000"].flatMap((device, i) =>
      [0.8, 1, 1.25].map(() => level(device, [0.8, 1, 1.25][i]!)),
    ),
    0.8,
  );
  expect(apart[1] / apart[0]).toBeGreaterThan(same[1] / same[0]);
});
