import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { formatProblem, InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { unreadable } from "../../files/read-input.ts";
import { pieces, withFile } from "../byte-source.ts";
import { arrayFileKind, openArrayFile } from "../container/arrays.ts";
import { type RoutingTraceHeader, traceFormat } from "../container/trace-header.ts";
import { writeRoutingTrace } from "../container/write-trace.ts";
import { plainBytes } from "../text-lines.ts";
import { contentsOf } from "./array-content.ts";
import {
  type FileSample,
  fileName,
  type ImportedTrace,
  type ImportOptions,
  type SampledArray,
  type TraceImporter,
} from "./importer.ts";
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
  given: ImportOptions = {},
): Promise<ImportReport> {
  const reads = format === "auto" ? undefined : (importers[format] as TraceImporter).reads;
  const options = reads === undefined || given.kind !== undefined ? given : { ...given, kind: reads };
  const listed = await listFiles(paths);
  const first = listed.find(({ inFolder }) => !inFolder) ?? listed[0];
  if (first === undefined) refuse({ expected: "at least one file to import", found: "none" });
  const chosen = format === "auto" ? (options.map === undefined ? await formatOf(listed, options) : "table") : format;
  // A folder may hold notes beside the recording; a file that was named must be one of the format.
  const files: ListedFile[] = [];
  const others: string[] = [];
  const unreadable: string[] = [];
  for (const file of listed) {
    const fits = file.inFolder ? await ifReadable(() => matches(file.path, chosen, options), unreadable) : true;
    if (fits === true) files.push(file);
    else if (fits === false) others.push(file.path);
  }
  if (files.length === 0)
    refuse({ file: first.path, expected: `a file in the format ${chosen} in the folder`, found: "none" });
  const { trace, leftOut, twins } = await importFiles(importers[chosen], files, options);
  await writeRoutingTrace(output, trace.layout, trace.write);
  return {
    format: chosen,
    header: trace.layout.header,
    rows: trace.layout.rows,
    warnings: [
      ...(others.length === 0 ? [] : [`left out, not in this format: ${others.map(fileName).join(", ")}`]),
      ...[...unreadable, ...leftOut].map((problem) => `left out, cannot be read: ${problem}`),
      ...twins,
      ...trace.warnings,
    ],
  };
}

/**
 * Imports files of one format. Where each is a recording of its own, those of a folder that cannot be read are left out,
 * as long as they are fewer than those that can; what is wrong with a file that was named refuses the import.
 */
async function importFiles(
  importer: TraceImporter,
  files: readonly ListedFile[],
  options: ImportOptions,
): Promise<{ trace: ImportedTrace; leftOut: readonly string[]; twins: readonly string[] }> {
  const domains = options.domains?.length === files.length && files.length > 1 ? options.domains : null;
  const leftOut: Problem[] = [];
  const digests: { name: string; sha256: string }[] = [];
  for (const { path } of files) digests.push({ name: fileName(path), sha256: await digestOf(path) });
  let kept = [...files.keys()];
  for (;;) {
    const paths = kept.map((index) => files[index]!.path);
    try {
      const named = kept.map((index) => digests[index]!);
      const own = domains === null ? options : { ...options, domains: kept.map((index) => domains[index]!) };
      return {
        trace: await importer.import(paths, own, named),
        leftOut: oneForEachFile(leftOut),
        twins: importer.filesAlone === true ? twinsOf(named) : [],
      };
    } catch (error) {
      if (!(error instanceof InvalidInputError) || importer.filesAlone !== true) throw error;
      leftOut.push(...error.problems);
      const wrong = new Set(error.problems.map(({ file }) => file));
      const left = kept.filter((index) => !(files[index]!.inFolder && wrong.has(files[index]!.path)));
      const noneOrNamed = left.length === kept.length || error.problems.some(({ file }) => !paths.includes(file ?? ""));
      if (noneOrNamed || kept.some((index) => !files[index]!.inFolder && wrong.has(files[index]!.path))) throw error;
      if (left.length < files.length - left.length) throw new InvalidInputError(leftOut);
      kept = left;
    }
  }
}

/** Files with the bytes of an earlier one: copies, or equal requests. Both are recordings. */
function twinsOf(files: readonly { readonly name: string; readonly sha256: string }[]): string[] {
  const first = new Map<string, string>();
  const twins: string[] = [];
  for (const { name, sha256 } of files) {
    const twin = first.get(sha256);
    if (twin === undefined) first.set(sha256, name);
    else twins.push(`${name} has the bytes of ${twin}`);
  }
  const more = twins.length > 3 ? `, and ${twins.length - 3} others` : "";
  return twins.length === 0 ? [] : [`${twins.slice(0, 3).join(", ")}${more}: a copy counts twice; all are imported`];
}

function oneForEachFile(problems: readonly Problem[]): string[] {
  const first = new Map(problems.map((problem) => [problem.file, problem] as const).reverse());
  return [...first.values()]
    .reverse()
    .map((problem) => formatProblem({ ...problem, file: fileName(problem.file ?? "") }));
}

/** What `read` gives; null, with the problem, where the file cannot be read. */
async function ifReadable<T>(read: () => Promise<T>, problems: string[]): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    problems.push(...oneForEachFile(error.problems));
    return null;
  }
}

/** The format of the first file that has one; a file that was named comes before those found in folders. */
async function formatOf(listed: readonly ListedFile[], options: ImportOptions): Promise<TraceFormat> {
  const first = listed.find(({ inFolder }) => !inFolder) ?? listed[0];
  const inFolders = first?.inFolder !== false;
  const problems: string[] = [];
  const unread: Problem[] = [];
  for (const { path } of inFolders ? listed : [first]) {
    const sample = inFolders
      ? await ifReadable(() => sampleOf(path, options), problems)
      : await sampleOf(path, options);
    if (sample === null) continue;
    const format = recognise(sample, options);
    if (format !== null) return format;
    unread.push(...sample.unread, ...unclearIn(path, sample));
  }
  if (unread.length > 0) throw new InvalidInputError(unread);
  if (first !== undefined) await refuseUnknownTable(await sampleOf(first.path, options), first.path);
  const known = Object.keys(importers).join(", ");
  refuse({
    file: first?.path ?? "",
    expected: `routing in one of the formats ${known}`,
    hint: problems.length === 0 ? "name it with --format" : `${problems.length} files cannot be read: ${problems[0]}`,
  });
}

/** Arrays of a file that may be routing, with what has to be said of them. */
function unclearIn(file: string, { arrays }: FileSample): Problem[] {
  const unclear = (arrays ?? []).filter(({ content }) => content === "unclear");
  if (unclear.length === 0 && arrays?.length === 1 && arrays[0]?.shape.length === 1)
    return [
      { file, at: arrays[0].name, expected: "ids [tokens, layers, k]", found: arrays[0].shape, hint: "reshape it" },
    ];
  const [first] = unclear;
  if (first === undefined) return [];
  const others = unclear.length === 1 ? "" : `, and ${unclear.length - 1} other arrays,`;
  return [
    {
      file,
      at: first.name,
      expected: "ids of tokens or counts of experts",
      found: `${JSON.stringify(first.shape)}${others === "" ? "," : others} which may be either`,
      hint: "say --kind tokens or --kind counts; --top-k splits rows [layers x k]",
    },
  ];
}

/** The format of a file, from its first bytes and its name; null if none matches. */
function recognise(sample: FileSample, options: ImportOptions): TraceFormat | null {
  const found = Object.entries(importers).find(([, importer]) => importer.detects(sample, options));
  return found === undefined ? null : (found[0] as TraceFormat);
}

async function matches(path: string, format: TraceFormat, options: ImportOptions): Promise<boolean> {
  const importer: TraceImporter = importers[format];
  return importer.detects(await sampleOf(path, options), options);
}

async function sampleOf(path: string, options: ImportOptions): Promise<FileSample> {
  const start = await withFile(path, async (source) => {
    const bytes = new Uint8Array(Math.min(16, source.bytes));
    await source.read(bytes, 0);
    return bytes;
  });
  if (arrayFileKind(start) !== null) return arraySample(path, options);
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of plainBytes(path)) {
    text += decoder.decode(piece, { stream: true });
    if (text.length >= 1 << 16) break;
  }
  return { fileName: fileName(path), text, arrays: null, unread: [] };
}

async function arraySample(path: string, options: ImportOptions): Promise<FileSample> {
  const { arrays, unread, metadata } = await openArrayFile(path);
  if (metadata?.get("format") === traceFormat)
    refuse({ file: path, expected: "a recording", found: "a routing trace of moecast", hint: "it needs no import" });
  const contents = await contentsOf(arrays, options);
  const sampled = arrays.map(({ name, shape }, i): SampledArray => ({ name, shape, content: contents[i] ?? "other" }));
  // Text and numbers by themselves stand beside routing; what has its dimensions may be the routing.
  const routing = unread.filter(({ shape }) => arrays.length === 0 || shape === null || shape.length >= 2);
  return { fileName: fileName(path), text: "", arrays: sampled, unread: routing.map(({ problem }) => problem) };
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
