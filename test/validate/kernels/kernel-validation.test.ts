import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { quantile } from "../../../src/core/quantile.ts";
import { CostModel } from "../../../src/hardware/cost.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import type { GemmOp } from "../../../src/hardware/op.ts";
import { kernelValidation } from "../../../src/validate/kernels/kernel-validation.ts";

const folder = mkdtempSync(join(tmpdir(), "moecast-kernels-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const header = "framework,version,device,op_name,kernel_source,latency,gemm_dtype,m,n,k";
const ops = [2048, 4096, 8192, 16384].flatMap((width) =>
  [16, 256, 2048, 8192].map(
    (tokens): GemmOp => ({
      kind: "gemm",
      tokens,
      inputWidth: width,
      outputWidth: 16384,
      weightFormat: "bf16",
      math: "bf16",
    }),
  ),
);

/** A table whose times are those of the committed profile, each times a factor by its place. */
function table(
  name: string,
  system: string,
  device: string,
  factor: (i: number) => number,
  dtype = "bfloat16",
): string {
  const node = nodeNamed(system);
  const model = new CostModel(node.device, node, "vllm");
  const rows = ops.map(
    (op, i) =>
      `VLLM,1.0,${device},gemm,nvjet,${(model.opNs(op) * factor(i)) / 1e6},${dtype},${op.tokens},${op.outputWidth},${op.inputWidth}`,
  );
  const file = join(folder, name);
  writeFileSync(file, `${[header, ...rows].join("\n")}\n`);
  return file;
}

const slower = (i: number) => 1 + i / 50;
const h200 = table("h200_sxm__vllm-1.0__gemm.csv", "h200-sxm-8", "NVIDIA H200", slower);
const h100 = table("h100_sxm__vllm-1.0__gemm.csv", "h100-sxm-8", "NVIDIA H100", () => 1.25);
/** Without a device in its name: rows say whose they are. Its format is one that no map is judged by. */
const unnamed = table("more.csv", "h200-sxm-8", "NVIDIA H200", () => 2, "fp8_block");
const errors = ops.map((_, i) => 1 - 1 / slower(i));

describe("validation on kernel tables", () => {
  test("gives the errors of every device, and those of all devices by kind of kernel", async () => {
    const { families, groups, overall } = await kernelValidation([h200, h100]);
    expect(families.map(({ device, family }) => [device, family])).toEqual([
      ["h100-sxm", "gemm"],
      ["h200-sxm", "gemm"],
    ]);
    expect(families[0]?.error).toMatchObject({ rows: 16 });
    expect(families[0]?.error.mean).toBeCloseTo(0.2, 6);
    expect(families[1]?.error.mean).toBeCloseTo(errors.reduce((a, b) => a + b) / 16, 6);
    const all = Float64Array.from([...errors, ...ops.map(() => 0.2)]);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ group: "products", device: null, leftOutRows: 0 });
    expect(groups[0]?.error.median).toBeCloseTo(quantile(all, 0.5), 6);
    expect(groups[0]?.error.p90).toBeCloseTo(quantile(all, 0.9), 6);
    expect(groups[0]?.error).toEqual(overall);
  });

  test("reads device after device to the same figures as each device alone", async () => {
    const both = await kernelValidation([h100, h200]);
    const alone = [await kernelValidation([h100]), await kernelValidation([h200])];
    expect(both.families).toEqual(alone.flatMap(({ families }) => families));
  });

  test("counts rows that no map stands for, with the reason", async () => {
    const { families } = await kernelValidation([h200, unnamed]);
    expect(families[0]).toMatchObject({
      leftOutRows: 16,
      leftOut: { listed: 16, untuned: 0, hostBound: 0, cached: 0, impossible: 0 },
    });
    const only = await kernelValidation([unnamed]);
    expect(only.families).toEqual([]);
    expect(only.skipped).toEqual([{ name: "h200-sxm gemm", reason: "all 16 rows left out" }]);
  });

  test("names rows of another device in a table named after one", async () => {
    const stray = table("b200_sxm__vllm-1.0__gemm.csv", "h200-sxm-8", "NVIDIA H200", () => 1);
    const { families, skipped } = await kernelValidation([stray]);
    expect(families).toEqual([]);
    expect(skipped).toEqual([{ name: "b200-sxm", reason: "16 rows of other devices in tables named after this one" }]);
  });

  test("leaves each GPU out in turn, with errors by kind of kernel on each", async () => {
    const { families, groups } = await kernelValidation([h200, h100], { leaveOut: "system" });
    expect(families.map(({ device, mapsOf, heldOut }) => [device, mapsOf, heldOut])).toEqual([
      ["h100-sxm", ["h200-sxm"], null],
      ["h200-sxm", ["h100-sxm"], null],
    ]);
    expect(groups.map(({ group, device }) => [group, device])).toEqual([
      ["products", null],
      ["products", "h100-sxm"],
      ["products", "h200-sxm"],
    ]);
    expect(groups[1]?.error).toEqual(families[0]?.error);
  });
});
