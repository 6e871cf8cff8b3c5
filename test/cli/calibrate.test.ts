import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gemmShape } from "../../src/hardware/cost/gemm.ts";
import { nominalRates } from "../../src/hardware/cost/mapped.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { deviceNamed } from "../../src/hardware/named-profiles.ts";
import type { GemmOp } from "../../src/hardware/op.ts";
import { parseDeviceProfile } from "../../src/hardware/read-profiles.ts";
import { resolveDevice } from "../../src/hardware/resolve.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const h200 = deviceNamed("h200-sxm");
const rates = nominalRates(h200);
const { path, write, folder } = scratch();

const product = (tokens: number, width: number): GemmOp => ({
  kind: "gemm",
  tokens,
  inputWidth: width,
  outputWidth: 4096,
  weightFormat: "bf16",
  math: "bf16",
});

/** A kernel at three quarters of the roofline after 3 us. */
const kernelNs = (op: GemmOp): number => 3000 + gemmShape.idealNs(op, rates) / 0.75;
const ops = [8192, 10240, 12288, 14336, 16384, 20480, 24576, 28672].flatMap((width) =>
  [1, 4, 16, 64, 256, 1024, 4096].map((tokens) => product(tokens, width)),
);
const header = "framework,version,device,op_name,kernel_source,latency,gemm_dtype,m,n,k";
const rowOf = (op: GemmOp, ns: number): string =>
  `VLLM,1.0,NVIDIA H200,gemm,nvjet,${ns / 1e6},bfloat16,${op.tokens},${op.outputWidth},${op.inputWidth}`;
const rows = ops.map((op) => rowOf(op, kernelNs(op)));
const large = product(4096, 16384);
const impossible = rowOf({ ...large, outputWidth: 8192 }, 1000);

write("h200_sxm__vllm-1.0__gemm.csv", `${[header, ...rows, impossible].join("\n")}\n`);
write("b200_sxm__vllm-1.0__gemm.csv", "not a table of kernels\n1\n");
const calibrate = (...words: readonly string[]) => moecast(["calibrate", "--from", folder, ...words]);

describe("moecast calibrate", () => {
  test("prints rows, form and errors of each kind of kernel, and names rows beyond the peak", async () => {
    const { code, out } = await calibrate("--profile", "h200-sxm", "-q");
    expect(code).toBe(0);
    expect(out).toMatch(/^h200-sxm: 1 kinds? of kernels$/m);
    expect(out).toMatch(/gemm bf16 +56 +8 +tokens \d+ x /);
    expect(out).toMatch(/h200_sxm__vllm-1\.0__gemm\.csv.*row 57/);
    expect(out).toContain("the bf16 peak allows no less than");
  });

  test("writes a profile that forecasts the kernels it was fitted to", async () => {
    const file = path("mine.json");
    const { code, err } = await calibrate("--profile", "h200-sxm", "-q", "-o", file);
    expect(code).toBe(0);
    expect(err).toContain(`wrote ${file}`);
    const device = resolveDevice(parseDeviceProfile(JSON.parse(readFileSync(file, "utf8")), file));
    const model = new CostModel(device, { device, devicesPerNode: 8, tiers: [] });
    for (const op of ops) expect(Math.abs(model.opNs(op) / kernelNs(op) - 1)).toBeLessThan(0.02);
  });

  test("--json gives counts, refused rows, fit and maps", async () => {
    const { code, out } = await calibrate("--profile", "h200-sxm", "--json", "-q");
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document).toMatchObject({ device: "h200-sxm", kernels: { device: "h200-sxm" } });
    expect(document.maps).toHaveLength(1);
    expect(document.maps[0]).toMatchObject({ family: "gemm", format: "bf16", rows: 56, shapes: 8, listedRows: 0 });
    expect(document.maps[0].refused).toEqual([expect.objectContaining({ row: 57 })]);
    expect(document.maps[0].fit.fitError.mean).toBeLessThan(0.01);
  });

  test("exits with 3 where the tables hold no kernels of the device", async () => {
    const { code, err, out } = await calibrate("--profile", "a100-sxm", "-q");
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain("tables of measured kernels of a100-sxm");
  });

  test("exits with 3 where a table named by the user is none, saying which column is missing", async () => {
    const words = ["calibrate", "--from", path("b200_sxm__vllm-1.0__gemm.csv"), "--profile", "h200-sxm", "-q"];
    const { code, err } = await moecast(words);
    expect(code).toBe(3);
    expect(err).toContain("expected a column");
  });

  test("exits with 2 for a folder as output", async () => {
    expect((await calibrate("--profile", "h200-sxm", "-q", "-o", folder)).code).toBe(2);
  });
});
