import type { Problem } from "../../core/errors.ts";
import type { TraceProvenance } from "../container/trace-header.ts";
import type { RoutingTraceLayout } from "../container/trace-tensors.ts";
import type { RoutingTraceWriter } from "../container/write-trace.ts";
import type { TableMap } from "./table/fields.ts";

/** What a person may state about a source that does not say it itself. */
export interface ImportOptions {
  readonly model?: string;
  /** Routed experts per layer; without it the largest id seen decides, with a warning. */
  readonly experts?: number;
  /** Experts per token, for sources that list selections one by one. */
  readonly topK?: number;
  /** Model layer number of each recorded layer with experts; fewer than a recording has say which of them have experts. */
  readonly modelLayers?: readonly number[];
  /** Layers of the model, where it is known: all of them, and those with experts. */
  readonly shape?: { readonly layers: number; readonly moeLayers: readonly number[] };
  /** Domain of all files (one name) or of each file (one per path); by default named by the source or the file. */
  readonly domains?: readonly string[];
  /** Row i is token floor(i / n) of stream i mod n. */
  readonly interleaved?: number;
  /** How rows of batch steps become sequences; see `groupSteps`. */
  readonly grouping?: StepGrouping;
  /** Which of the two kinds to import where a source holds both. */
  readonly kind?: "tokens" | "counts";
  readonly device?: string;
  readonly dtype?: string;
  /** Columns of a table. */
  readonly map?: TableMap;
}

export type StepGrouping = "auto" | "slots" | "steps";

/** A source that has been read once: what will be written, and the second reading that writes it. */
export interface ImportedTrace {
  readonly layout: RoutingTraceLayout;
  /** What the person who imports should know; facts for readers of the trace are in the header's notes. */
  readonly warnings: readonly string[];
  readonly write: (writer: RoutingTraceWriter) => Promise<void>;
}

/** The start of a file, for telling formats apart. */
export interface FileSample {
  /** Last part of the path. */
  readonly fileName: string;
  /** The first characters, decompressed; empty for binary files. */
  readonly text: string;
  /** The arrays in an .npy, .npz or safetensors file; null for other files. */
  readonly arrays: readonly SampledArray[] | null;
  /** Why arrays that may be the routing are not read. */
  readonly unread: readonly Problem[];
}

/** What the values of an array are: ids of chosen experts, tokens per expert, either of them, or something else. */
export type ArrayContent = "ids" | "counts" | "unclear" | "other";

export interface SampledArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly content: ArrayContent;
}

/** A format that routing is recorded in. */
export interface TraceImporter {
  readonly description: string;
  /** Whether each file is a recording of its own, so that one that cannot be read may be left out of a folder. */
  readonly filesAlone?: boolean;
  /** What arrays that may hold either are taken for when this format is named. */
  readonly reads?: "tokens" | "counts";
  detects(sample: FileSample, options?: ImportOptions): boolean;
  /** First reading; refuses what is not in this format. `files` goes into the provenance. */
  import(
    paths: readonly string[],
    options: ImportOptions,
    files: NonNullable<TraceProvenance["files"]>,
  ): Promise<ImportedTrace>;
}

/** Domain of each path: as given, else the name of the file without folder, extensions and a trailing number. */
export function domainsOfFiles(paths: readonly string[], options: ImportOptions): string[] {
  return paths.map((path, i) => {
    const given = options.domains;
    return (given?.length === 1 ? given[0] : given?.[i]) ?? nameWithoutNumber(path);
  });
}

/** Domain of each path where files are parts of one recording, such as ranks: as given, else the same for all. */
export function domainsOfParts(paths: readonly string[], options: ImportOptions): string[] {
  return options.domains === undefined ? paths.map(() => unlabelled) : domainsOfFiles(paths, options);
}

/** Domain of recordings that nothing names. */
export const unlabelled = "unlabelled";

export function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** `req12.npy` -> `req`, `code_001.npz` -> `code`: files that differ by a number hold the same kind of text. */
function nameWithoutNumber(path: string): string {
  const stem = fileName(path).replace(/(\.(npz|npy|safetensors|jsonl|json|csv|txt|gz))+$/i, "");
  const name = /^[a-z]+[0-9]+$/i.test(stem)
    ? stem.replace(/[0-9]+$/, "")
    : stem.replace(/([-_.]*\b[0-9]+|[-_.]+[0-9]+)+$/, "");
  return name === "" ? unlabelled : name;
}
