import type { StorageFormat } from "../../../core/dtype.ts";
import { own } from "../../../core/own.ts";
import { closest } from "../../../core/suggest.ts";
import { deviceIdOf, engineIdOf } from "../device-name.ts";
import type { KernelSample } from "../kernel-sample.ts";
import type { KernelTable } from "../kernel-table.ts";

/** Columns that every table of AIConfigurator has. */
export const commonColumns = ["framework", "version", "device", "op_name", "kernel_source", "latency"] as const;

/** Names of number formats in tables. */
const formatNames: Readonly<Record<string, StorageFormat>> = {
  bfloat16: "bf16",
  bf16: "bf16",
  float16: "fp16",
  half: "fp16",
  fp8: "fp8",
  fp8_block: "fp8_block",
  int8: "int8",
  int8_wo: "int8",
  int4_wo: "int4",
  nvfp4: "nvfp4",
  mxfp4: "mxfp4",
};

export function formatAt(table: KernelTable, row: number, column: string): StorageFormat | null {
  const name = table.text(row, column);
  if (name === null) return null;
  const format = own(formatNames, name);
  if (format !== undefined) return format;
  const near = closest(name, Object.keys(formatNames));
  return table.wrong(row, column, "a number format", name, near === null ? undefined : `did you mean ${near}?`);
}

/** What every sample takes from the common columns; null where one of them cannot be read. */
export function commonAt(
  table: KernelTable,
  row: number,
): Pick<KernelSample, "ns" | "device" | "engine" | "version" | "kernel" | "file" | "row"> | null {
  const framework = table.text(row, "framework");
  const version = table.text(row, "version");
  const device = table.text(row, "device");
  const kernel = table.text(row, "kernel_source");
  const ms = table.positive(row, "latency");
  if (framework === null || version === null || device === null || kernel === null || ms === null) return null;
  return {
    ns: ms * 1e6,
    device: deviceIdOf(device),
    engine: engineIdOf(framework),
    version,
    kernel,
    file: table.file,
    row: row + 1,
  };
}

/**
 * Every row through a function; rows that cannot be read are left out. Texts that rows share are held once: tables have
 * hundreds of thousands of rows.
 */
export function samplesOf(table: KernelTable, sampleAt: (row: number) => KernelSample | null): KernelSample[] {
  const samples: KernelSample[] = [];
  const texts = new Map<string, string>();
  const shared = (text: string): string => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
  for (let row = 0; row < table.length; row++) {
    const sample = sampleAt(row);
    if (sample === null) continue;
    const { version, kernel, shape } = sample;
    samples.push({ ...sample, version: shared(version), kernel: shared(kernel), shape: shared(shape) });
  }
  return samples;
}
