import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  type DeviceSamples,
  type SkippedSamples,
  samplesByDevice,
} from "../../../src/calibrate/kernel-tables/samples-by-device.ts";

const folder = mkdtempSync(join(tmpdir(), "moecast-tables-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const header = "framework,version,device,op_name,kernel_source,latency,gemm_dtype,m,n,k";
function table(name: string, devices: readonly string[]): void {
  const rows = devices.map((device, i) => `VLLM,1.0,${device},gemm,nvjet,${0.01 + i},bfloat16,64,4096,4096`);
  writeFileSync(join(folder, name), `${[header, ...rows].join("\n")}\n`);
}
table("a100_sxm__vllm-1.0__gemm.csv", ["NVIDIA A100", "NVIDIA H200"]);
table("h200_sxm__vllm-1.0__gemm.csv", ["NVIDIA H200"]);
table("mixed.csv", ["NVIDIA H200", "NVIDIA A100", "Vendor X"]);
writeFileSync(join(folder, "notes.csv"), "a,b\n1,2\n");

test("devices come one after another with the rows of all their tables; the rest is named", async () => {
  const skipped: SkippedSamples[] = [];
  const progress: [number, number][] = [];
  const found: DeviceSamples[] = [];
  const devices = samplesByDevice([folder], {
    onSkipped: (one) => skipped.push(one),
    onProgress: (done, total) => progress.push([done, total]),
  });
  for await (const one of devices) found.push({ ...one, samples: [...one.samples] });
  expect(found.map(({ device, samples, tables }) => [device, samples.length, tables.length])).toEqual([
    ["h200-sxm", 2, 2],
    ["a100-sxm", 2, 2],
  ]);
  expect(found.every(({ device, samples }) => samples.every((sample) => sample.device === device))).toBe(true);
  expect(skipped).toEqual([
    { name: join(folder, "notes.csv"), reason: "no table of measured kernels" },
    { name: "a100-sxm", reason: "1 rows of other devices in tables named after this one" },
    { name: "vendor-x", reason: "no device profile" },
  ]);
  expect(progress.at(-1)).toEqual([4, 4]);
  expect(progress.map(([done]) => done)).toEqual([0, 1, 2, 3, 4]);
});
