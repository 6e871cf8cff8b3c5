import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll } from "vitest";
import { openRoutingTrace, type RoutingTraceFile } from "../../src/trace/container/open-trace.ts";
import { absentIds } from "../../src/trace/container/row-check.ts";
import type { RoutingTraceHeader } from "../../src/trace/container/trace-header.ts";
import { writeRoutingTrace } from "../../src/trace/container/write-trace.ts";
import { importTrace } from "../../src/trace/formats/import-trace.ts";
import type { ImportOptions } from "../../src/trace/formats/importer.ts";
import type { TraceFormat } from "../../src/trace/formats/importers.ts";

/** A folder that is removed after the tests of a file. */
export function temporaryFolder(): {
  path: (name: string) => string;
  write: (name: string, data: Uint8Array | string) => string;
} {
  const folder = mkdtempSync(join(tmpdir(), "moecast-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  return {
    path,
    write(name, data) {
      writeFileSync(path(name), data);
      return path(name);
    },
  };
}

/** A small deterministic generator of whole numbers for fixtures. */
export function draws(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** `topK` different ids below `experts`. */
export function distinctIds(draw: (below: number) => number, experts: number, topK: number): number[] {
  const ids: number[] = [];
  while (ids.length < topK) {
    const id = draw(experts);
    if (!ids.includes(id)) ids.push(id);
  }
  return ids;
}

type Values =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

const descrOf = (values: Values): string => {
  const width = values.BYTES_PER_ELEMENT;
  const name = values.constructor.name;
  const letter = name.startsWith("Float") ? "f" : name.startsWith("Uint") ? "u" : "i";
  return `${width === 1 ? "|" : "<"}${letter}${width}`;
};

/** The bytes of an .npy array, as NumPy writes version 1.0. */
export function npy(
  values: Values,
  shape: readonly number[],
  header: { descr?: string; fortran?: boolean } = {},
): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const fortran = header.fortran === true ? "True" : "False";
  const text = `{'descr': '${header.descr ?? descrOf(values)}', 'fortran_order': ${fortran}, 'shape': (${dims}), }`;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const bytes = new Uint8Array(10 + padded.length + values.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 0xff, padded.length >> 8]);
  bytes.set(new TextEncoder().encode(padded), 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 10 + padded.length);
  return bytes;
}

export function npz(arrays: Readonly<Record<string, Uint8Array>>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])));
}

/** A safetensors file put together byte by byte; nothing is checked, so that broken files can be made. */
export function safetensors(header: unknown, data: Uint8Array, headerBytes?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, headerBytes ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** A token of a trace: the ids of each layer, null where a layer did not record it. */
export interface TraceRow {
  readonly sequence: number;
  readonly domain: number;
  readonly layers: readonly (readonly number[] | null)[];
}

export function headerOf(given: Partial<RoutingTraceHeader> = {}): RoutingTraceHeader {
  return {
    kind: "tokens",
    model: "synthetic",
    experts: 8,
    topK: 2,
    layers: [0, 1, 2],
    domains: ["all"],
    provenance: { origin: "synthesised", source: "test", grouping: "by construction", droppedRows: 0, notes: [] },
    ...given,
  };
}

/** Writes rows as a tokens trace. */
export async function writeRows(path: string, header: RoutingTraceHeader, rows: readonly TraceRow[]): Promise<string> {
  const topK = header.topK ?? 1;
  await writeRoutingTrace(path, { header, rows: rows.length, columns: ["sequence", "domain"] }, async (writer) => {
    await writer.column(
      "sequence",
      0,
      Uint32Array.from(rows, (row) => row.sequence),
    );
    await writer.column(
      "domain",
      0,
      Uint32Array.from(rows, (row) => row.domain),
    );
    for (const layer of header.layers.keys()) {
      const ids = absentIds(rows.length * topK, header.experts, topK);
      for (const [row, { layers }] of rows.entries()) ids.set(layers[layer] ?? [], row * topK);
      for (const [row, { layers }] of rows.entries())
        if (layers[layer] === null) ids.fill(ids.BYTES_PER_ELEMENT === 1 ? 0xff : 0xffff, row * topK, (row + 1) * topK);
      await writer.experts(layer, 0, ids);
    }
  });
  return path;
}

/** Imports files and opens what was written. */
export async function importAndOpen(
  output: string,
  paths: readonly string[],
  options: ImportOptions = {},
  format: TraceFormat | "auto" = "auto",
): Promise<{ file: RoutingTraceFile; warnings: readonly string[]; format: TraceFormat }> {
  const report = await importTrace(format, paths, output, options);
  return { file: await openRoutingTrace(output), warnings: report.warnings, format: report.format };
}
