import type { RowRun } from "../warm-up.ts";
import type { TableCell } from "./table-cell.ts";
import type { TokenSet } from "./token-set.ts";

/** In what tokens are numbered, apart from the request: all of it, each step, or each pass through the numbers. */
export type TokenUnit = "request" | "step" | "pass";

export interface TableReading {
  readonly unit: TokenUnit;
  /** Whether each file is a recording of its own, rather than all being parts of one. */
  readonly filesApart: boolean;
}

/** Tokens that are numbered together. */
export interface Stream {
  readonly group: number;
  /** Engine step or pass; 0 where tokens are numbered through. */
  readonly step: number;
  readonly tokens: TokenSet;
  readonly index: number;
}

/** A request, or the whole of what names no requests. */
export interface Group {
  readonly domain: string | null;
  readonly fileIndex: number;
  readonly streams: Stream[];
  /** Warm-up rows, as places among the group's rows. */
  dropped: readonly RowRun[];
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly layer: number;
  readonly token: number;
}

/** What the first reading of a table found. */
export interface TableShape {
  readonly groups: readonly Group[];
  readonly streams: readonly Stream[];
  readonly layers: readonly number[];
  /** Layers that hold expert 0 alone, and are left out. */
  readonly blankLayers: readonly number[];
  readonly topK: number;
  readonly idMin: number;
  readonly idMax: number;
  /** Routed experts, where shared ones that are fused with them show how many there are; and what was made of these. */
  readonly fused: { readonly experts: number | undefined; readonly notes: readonly string[] };
  readonly selections: number;
  readonly hasWeights: boolean;
  readonly hasRequests: boolean;
  readonly hasSteps: boolean;
  readonly hasPhases: boolean;
  readonly hasPositions: boolean;
  readonly hasTokenIds: boolean;
  /** Layers that each file has. */
  readonly layersOfFiles: readonly ReadonlySet<number>[];
  /** Cells that are missing among all tokens and layers. */
  readonly missing: number;
  /** Tokens by layers. */
  readonly grid: number;
  /** Whether tokens are numbered through all requests: none has a number that another one has. */
  readonly runsOn: boolean;
  /** A cell that was missing at a place that is easy to name: a layer of a stream with fewer tokens. */
  readonly firstMissing: string | null;
  /** Whether what is missing is always the end of a layer, as counters of logged rows leave it. */
  readonly missingAtEnds: boolean;
  /** The first cell whose token is no larger than the one before in its layer, where tokens may have come twice. */
  readonly repeat: Place | null;
  /** Whether every such cell begins anew with the first token. */
  readonly restartsOnly: boolean;
  /** Streams of which only the second reading can tell whether a cell comes twice. */
  readonly unsure: ReadonlySet<number>;
  /** Numbers of tokens that have gaps wider than themselves and are in no order, in words; null where there are none. */
  readonly scattered: string | null;
  /** Rows whose experts were not in the order of their weights. */
  readonly sorted: number;
  /** Cells with fewer experts than others, and the first of them. */
  readonly short: number;
  readonly firstShort: Place | null;
  /** Whether all layers of a token come before the next token. */
  readonly tokenFirst: boolean;
  /** Whether tokens are numbered by their position in a sequence. */
  readonly byPosition: boolean;
  readonly looksForWarmUp: boolean;
}

export function placeOf({ file, line, layer, token }: TableCell): Place {
  return { file, line, layer, token };
}
