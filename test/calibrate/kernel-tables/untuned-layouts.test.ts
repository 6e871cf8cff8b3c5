import { expect, test } from "vitest";
import type { KernelSample } from "../../../src/calibrate/kernel-tables/kernel-sample.ts";
import { untunedRows } from "../../../src/calibrate/kernel-tables/untuned-layouts.ts";
import type { GroupedGemmOp } from "../../../src/hardware/op.ts";

const op = (pairs: number, shardWidth: number): GroupedGemmOp => ({
  kind: "groupedGemm",
  pairs,
  distinctExperts: Math.min(pairs, 8),
  presentedPairs: pairs,
  parametersPerExpert: 3 * 1024 * shardWidth,
  shardWidth,
  valuesPerPair: 2048 + 3 * shardWidth,
  weightFormat: "bf16",
  math: "bf16",
});

/** Kernels of a layout whose time follows its work, times a factor. */
const layout = (shape: string, width: number, factor = 1, change: Partial<KernelSample> = {}): KernelSample[] =>
  [1, 2, 4, 8, 16, 32, 64, 128].map((pairs, row) => ({
    family: "groupedGemm",
    op: op(pairs, width),
    ns: factor * (1000 + pairs * width),
    device: "h200-sxm",
    engine: "vllm",
    version: "1.0",
    kernel: "experts",
    shape,
    file: "moe.csv",
    row,
    ...change,
  }));

const shapesOf = (samples: Iterable<KernelSample>) => [...new Set(Array.from(samples, ({ shape }) => shape))];

test("a layout that takes longer than larger ones is left out with all its rows, others stay", () => {
  const slow = layout("tp2", 512, 4);
  const untuned = untunedRows([...layout("tp1", 1024), ...slow, ...layout("tp4", 256)]);
  expect([...untuned]).toEqual(slow);
});

test("noise, and kernels that are as fast as their size, leave nothing out", () => {
  const noisy = [...layout("tp1", 1024), ...layout("tp2", 512)].map((sample, i) => ({
    ...sample,
    ns: sample.ns * (i % 2 === 0 ? 1.1 : 0.92),
  }));
  expect(untunedRows(noisy).size).toBe(0);
  expect(untunedRows([...layout("tp1", 1024, 4), ...layout("tp2", 512)]).size).toBe(0);
});

test("one slow row condemns no layout", () => {
  const rows = layout("tp2", 512).map((sample, i) => (i === 0 ? { ...sample, ns: 10 * sample.ns } : sample));
  expect(untunedRows([...layout("tp1", 1024), ...rows]).size).toBe(0);
});

test("kernels are held against those of their own engine and format", () => {
  const slow = layout("tp2", 512, 4);
  const others = [...layout("tp1", 1024, 1, { engine: "sglang" })];
  const wide = layout("tp1", 1024).map((sample) => ({
    ...sample,
    op: { ...(sample.op as GroupedGemmOp), weightFormat: "fp8" as const },
  }));
  expect(untunedRows([...slow, ...others, ...wide]).size).toBe(0);
  expect(shapesOf(untunedRows([...slow, ...layout("tp1", 1024)]))).toEqual(["tp2"]);
});
