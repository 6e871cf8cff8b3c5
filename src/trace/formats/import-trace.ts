import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse } from "../../core/errors.ts";
import { unreadable } from "../../files/read-input.ts";
import { pieces, withFile } from "../byte-source.ts";
import { arrayFileKind, openArrays } from "../container/arrays.ts";
import type { RoutingTraceHeader } from "../container/trace-header.ts";
import { writeRoutingTrace } from "../container/write-trace.ts";
import { plainBytes } from "../text-lines.ts";
import { type FileSample, fileName, type ImportOptions, type TraceImporter } from "./importer.ts";
import { importers, type TraceFormat } from "./importers.ts";
import { refuseUnknownTable } from "./table/unknown-columns.ts";

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
  const listed = await listFiles(paths);
  const first = listed.find(({ inFolder }) => !inFolder) ?? listed[0];
  if (first === undefined) refuse({ expected: "at least one file to import", found: "none" });
  const chosen = format === "auto" ? (options.map === undefined ? await formatOf(listed) : "table") : format;
  // A folder may hold notes beside the recording; a file that was named must be one of the format.
  const files: string[] = [];
  const others: string[] = [];
  for (const { path, inFolder } of listed)
    (inFolder && !(await matches(path, chosen, options)) ? others : files).push(path);
  if (files.length === 0)
    refuse({ file: first.path, expected: `a file in the format ${chosen} in the folder`, found: "none" });
  const importer: TraceImporter = importers[chosen];
  const named: { name: string; sha256: string }[] = [];
  for (const path of files) named.push({ name: fileName(path), sha256: await digestOf(path) });
  const trace = await importer.import(files, options, named);
  await writeRoutingTrace(output, trace.layout, trace.write);
  return {
    format: chosen,
    header: trace.layout.header,
    rows: trace.layout.rows,
    warnings: [...leftOut(others), ...trace.warnings],
  };
}

function leftOut(paths: readonly string[]): string[] {
  return paths.length === 0 ? [] : [`left out, not in this format: ${paths.map(fileName).join(", ")}`];
}

/** The format of the first file that has one; a file that was named comes before those found in folders. */
async function formatOf(listed: readonly ListedFile[]): Promise<TraceFormat> {
  const first = listed.find(({ inFolder }) => !inFolder) ?? listed[0];
  for (const { path } of first?.inFolder === false ? [first] : listed) {
    const format = await recognise(path);
    if (format !== null) return format;
  }
  if (first !== undefined) await refuseUnknownTable(await sampleOf(first.path), first.path);
  const known = Object.keys(importers).join(", ");
  refuse({
    file: first?.path ?? "",
    expected: `routing in one of the formats ${known}`,
    hint: "name it with --format",
  });
}

/** The format of a file, from its first bytes and its name; null if none matches. */
async function recognise(path: string): Promise<TraceFormat | null> {
  const sample = await sampleOf(path);
  const found = Object.entries(importers).find(([, importer]) => importer.detects(sample));
  return found === undefined ? null : (found[0] as TraceFormat);
}

async function matches(path: string, format: TraceFormat, options: ImportOptions): Promise<boolean> {
  const importer: TraceImporter = importers[format];
  return importer.detects(await sampleOf(path), options);
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

interface ListedFile {
  readonly path: string;
  /** Found in a folder that was named, rather than named itself. */
  readonly inFolder: boolean;
}

async function listFiles(paths: readonly string[]): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for (const path of paths) {
    const facts = await stat(path).catch((error: Error) => refuse(unreadable(path, error)));
    if (!facts.isDirectory()) {
      files.push({ path, inFolder: false });
      continue;
    }
    const entries = await readdir(path, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    for (const name of names.sort((a, b) => (a < b ? -1 : 1))) files.push({ path: join(path, name), inFolder: true });
  }
  return files;
}

async function digestOf(path: string): Promise<string> {
  return withFile(path, async (source) => {
    const hash = createHash("sha256");
    for await (const piece of pieces(source, 0, source.bytes)) hash.update(piece);
    return hash.digest("hex");
  });
}
