import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse } from "../../core/errors.ts";
import { unreadable, withFile } from "../byte-source.ts";
import type { RoutingTraceHeader } from "../container/trace-header.ts";
import { writeRoutingTrace } from "../container/write-trace.ts";
import { plainBytes } from "../text-lines.ts";
import { arrayFileKind, openArrays } from "./arrays.ts";
import { type FileSample, fileName, type ImportOptions, type TraceImporter } from "./importer.ts";
import { importers, type TraceFormat } from "./importers.ts";

export interface ImportReport {
  readonly format: TraceFormat;
  readonly header: RoutingTraceHeader;
  /** Rows (tokens) or steps (counts) written. */
  readonly rows: number;
  /** What the person who imports should know. */
  readonly warnings: readonly string[];
}

/**
 * Imports recorded routing into a trace container at `output`. Folders among `paths` stand for the files in them, by
 * name. Nothing is left at `output` when the input is refused.
 */
export async function importTrace(
  format: TraceFormat | "auto",
  paths: readonly string[],
  output: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const files = await listFiles(paths);
  const [first] = files;
  if (first === undefined) refuse({ expected: "at least one file to import", found: "none" });
  const chosen = format === "auto" ? await detectFormat(first) : format;
  const importer: TraceImporter = importers[chosen];
  const named: { name: string; sha256: string }[] = [];
  for (const path of files) named.push({ name: fileName(path), sha256: await digestOf(path) });
  const trace = await importer.import(files, options, named);
  await writeRoutingTrace(output, trace.layout, trace.write);
  return { format: chosen, header: trace.layout.header, rows: trace.layout.rows, warnings: trace.warnings };
}

/** The format of a file, from its first bytes and its name. */
async function detectFormat(path: string): Promise<TraceFormat> {
  const sample = await sampleOf(path);
  for (const [format, importer] of Object.entries(importers))
    if (importer.detects(sample)) return format as TraceFormat;
  const known = Object.entries(importers).map(([format, { description }]) => `${format}: ${description}`);
  refuse({ file: path, expected: "a known routing format", found: "none that matches", hint: known.join("; ") });
}

async function sampleOf(path: string): Promise<FileSample> {
  const start = await withFile(path, async (source) => {
    const bytes = new Uint8Array(Math.min(16, source.bytes));
    await source.read(bytes, 0);
    return bytes;
  });
  if (arrayFileKind(start) !== null) return { fileName: fileName(path), text: "", arrays: await openArrays(path) };
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of plainBytes(path)) {
    text += decoder.decode(piece, { stream: true });
    if (text.length >= 1 << 16) break;
  }
  return { fileName: fileName(path), text, arrays: null };
}

async function listFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const facts = await stat(path).catch((error: Error) => refuse(unreadable(path, error)));
    if (!facts.isDirectory()) {
      files.push(path);
      continue;
    }
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    files.push(...names.sort((a, b) => (a < b ? -1 : 1)).map((name) => join(path, name)));
  }
  return files;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
