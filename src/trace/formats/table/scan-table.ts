import { refuse } from "../../../core/errors.ts";
import { traceLimits } from "../../container/trace-header.ts";
import { commonRuns, type RowRun, WarmUpDetector } from "../warm-up.ts";
import { RowProblems } from "./row-problems.ts";
import type { TableCell } from "./table-cell.ts";
import { TokenSet } from "./token-set.ts";
import { mix, Tracks, tokenHash, track } from "./tracks.ts";

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
  readonly selections: number;
  readonly hasWeights: boolean;
  readonly hasRequests: boolean;
  readonly hasSteps: boolean;
  readonly hasPhases: boolean;
  readonly hasPositions: boolean;
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
  /** Rows whose experts were not in the order of their weights. */
  readonly sorted: number;
  /** Cells with fewer experts than others, and the first of them. */
  readonly short: number;
  readonly firstShort: Place | null;
  /** Whether all layers of a token come before the next token. */
  readonly tokenFirst: boolean;
  readonly looksForWarmUp: boolean;
}

const tracksMax = 1 << 24;
const detectorsMax = 1 << 20;
/** So many tokens that choose expert 0 alone, where one is chosen, are no choice. */
const unrecordedMin = 32;
const setBytesMax = 512 * 1024 * 1024;

/** First reading of a table whose rows are in any order. */
export async function scanTable(
  cells: AsyncIterable<readonly TableCell[]>,
  reading: TableReading,
  file: string,
  experts: number | undefined,
): Promise<TableShape> {
  const scan = new TableScan(reading, file, experts);
  for await (const batch of cells) for (const cell of batch) scan.push(cell);
  return scan.finish();
}

/** The key of the stream that a cell belongs to; passes are told apart by whoever reads in order. */
export class StreamKeys {
  readonly #reading: TableReading;
  /** Neighbouring rows are mostly of one group. */
  #last: { request: string | null; domain: string | null; fileIndex: number; key: string } = {
    request: null,
    domain: null,
    fileIndex: 0,
    key: "",
  };
  readonly #layerPasses = new Map<string, { pass: number; first: number; last: number }>();

  constructor(reading: TableReading) {
    this.#reading = reading;
  }

  groupKey({ request, domain, fileIndex }: TableCell): string {
    const last = this.#last;
    if (last.request !== request || last.domain !== domain || last.fileIndex !== fileIndex || last.key === "") {
      const key = JSON.stringify([this.#reading.filesApart ? fileIndex : null, request, domain]);
      this.#last = { request, domain, fileIndex, key };
    }
    return this.#last.key;
  }

  /** Step or pass of the next cell of a group. */
  stepOf(group: string, { step, layer, token, file, line }: TableCell): number {
    if (this.#reading.unit === "request") return 0;
    if (this.#reading.unit === "step") return step ?? 0;
    const key = `${layer} ${group}`;
    const passes = this.#layerPasses.get(key);
    if (passes === undefined) {
      this.#layerPasses.set(key, { pass: 0, first: token, last: token });
      return 0;
    }
    if (token <= passes.last) {
      if (token !== passes.first)
        refuse({ file, line, at: "token", expected: `${passes.first} or more than ${passes.last}`, found: token });
      passes.pass += 1;
    }
    passes.last = token;
    return passes.pass;
  }
}

class TableScan {
  readonly #keys: StreamKeys;
  readonly #file: string;
  readonly #experts: number | undefined;
  readonly #problems = new RowProblems();
  readonly #groups: Group[] = [];
  readonly #groupOf = new Map<string, number>();
  readonly #streams: Stream[] = [];
  readonly #streamOf = new Map<string, Stream>();
  /** Sums of both hashes over the tokens of each stream. */
  readonly #sums: [number, number][] = [];
  readonly #layers = new Map<number, Tracks>();
  readonly #layersOfFiles: Set<number>[] = [];
  #detectors: Map<string, WarmUpDetector> | null = new Map();
  #first: TableCell | null = null;
  #topK = 0;
  #short = 0;
  #firstShort: Place | null = null;
  #fullCells = 0;
  #idMin = Number.POSITIVE_INFINITY;
  #idMax = -1;
  #selections = 0;
  #sorted = 0;
  #repeat: Place | null = null;
  #restartsOnly = true;
  #last: TableCell | null = null;
  #advances = { inLayer: 0, overLayers: 0 };
  readonly #blank = new Map<number, Place>();
  readonly #largest = new Map<number, number>();
  #setBytes = 0;
  /** Tokens of all streams, to see whether each has numbers of its own. */
  readonly #all = new TokenSet();

  constructor(reading: TableReading, file: string, experts: number | undefined) {
    this.#file = file;
    this.#keys = new StreamKeys(reading);
    this.#experts = experts;
  }

  push(cell: TableCell): void {
    // Several times expert 0 is what buffers hold where nothing was recorded.
    if (cell.ids.length > 1 && cell.ids.every((id) => id === 0)) {
      if (!this.#blank.has(cell.layer)) this.#blank.set(cell.layer, placeOf(cell));
      return;
    }
    this.#first ??= cell;
    this.#checkCell(cell);
    const key = this.#keys.groupKey(cell);
    const group = this.#groupFor(key, cell);
    const stream = this.#streamFor(group, this.#keys.stepOf(key, cell), cell);
    while (this.#layersOfFiles.length <= cell.fileIndex) this.#layersOfFiles.push(new Set());
    this.#layersOfFiles[cell.fileIndex]?.add(cell.layer);
    let tracks = this.#layers.get(cell.layer);
    if (tracks === undefined) {
      tracks = new Tracks();
      this.#layers.set(cell.layer, tracks);
      if (this.#layers.size > traceLimits.layers)
        refuse({
          file: cell.file,
          line: cell.line,
          at: "layer",
          expected: `at most ${traceLimits.layers} layers`,
          found: cell.layer,
        });
    }
    this.#follow(cell, stream, tracks);
    this.#detect(cell, group);
    // The next token comes in the same layer, or after all layers of this one.
    if (this.#last !== null && cell.token > this.#last.token)
      this.#advances[cell.layer === this.#last.layer ? "inLayer" : "overLayers"] += 1;
    this.#last = cell;
  }

  #checkCell(cell: TableCell): void {
    const { file, line, ids, weights } = cell;
    const wrong = (expected: string, found: unknown, hint?: string) =>
      this.#problems.add({ file, line, at: "experts", expected, found, ...(hint === undefined ? {} : { hint }) });
    if (new Set(ids).size !== ids.length) wrong("different experts", ids);
    const beyond = ids.find((id) => id >= (this.#experts ?? Number.POSITIVE_INFINITY));
    if (beyond !== undefined)
      wrong(
        `ids below ${this.#experts}`,
        beyond,
        beyond === this.#experts
          ? "ids may be counted from 1, or the id of a shared expert stand with them"
          : "physical and fused shared experts have to be mapped to logical routed experts first",
      );
    if ((weights === null) !== (this.#first?.weights === null)) wrong("weights in all rows or in none", weights);
    if (weights?.some((weight, i) => i > 0 && weight > (weights[i - 1] ?? 0)) === true) this.#sorted += 1;
    for (const id of ids) {
      if (id < this.#idMin) this.#idMin = id;
      if (id > this.#idMax) this.#idMax = id;
    }
    this.#selections += ids.length;
    this.#largest.set(cell.layer, Math.max(this.#largest.get(cell.layer) ?? 0, ...ids));
    this.#countK(cell);
  }

  /** Counts the cells with the most experts so far, and those with fewer. */
  #countK(cell: TableCell): void {
    const k = cell.ids.length;
    if (k > this.#topK) {
      if (this.#fullCells > 0) {
        this.#short += this.#fullCells;
        this.#firstShort ??= placeOf(this.#first ?? cell);
      }
      this.#topK = k;
      this.#fullCells = 1;
    } else if (k === this.#topK) this.#fullCells += 1;
    else {
      this.#short += 1;
      this.#firstShort ??= placeOf(cell);
    }
  }

  #groupFor(key: string, { domain, fileIndex }: TableCell): number {
    const known = this.#groupOf.get(key);
    if (known !== undefined) return known;
    this.#groupOf.set(key, this.#groups.length);
    this.#groups.push({ domain, fileIndex, streams: [], dropped: [] });
    return this.#groups.length - 1;
  }

  #streamFor(group: number, step: number, { file, line }: TableCell): Stream {
    const key = `${group} ${step}`;
    const known = this.#streamOf.get(key);
    if (known !== undefined) return known;
    const stream = { group, step, tokens: new TokenSet(), index: this.#streams.length };
    this.#streamOf.set(key, stream);
    this.#streams.push(stream);
    this.#groups[group]?.streams.push(stream);
    this.#sums.push([0, 0]);
    if (this.#streams.length * Math.max(1, this.#layers.size) > tracksMax)
      refuse({
        file,
        line,
        expected: `at most ${tracksMax} requests (or steps) x layers`,
        found: "more",
        hint: "import the files one by one, or check the column of the request",
      });
    return stream;
  }

  #follow(cell: TableCell, { index, tokens }: Stream, tracks: Tracks): void {
    const { token } = cell;
    const [a, b] = tokenHash(token);
    const bytes = tokens.bytes;
    if (tokens.add(token)) {
      const sums = this.#sums[index];
      if (sums !== undefined) {
        sums[0] = (sums[0] + a) >>> 0;
        sums[1] = (sums[1] + b) >>> 0;
      }
      const all = this.#all.bytes;
      this.#all.add(token);
      this.#setBytes += tokens.bytes - bytes + this.#all.bytes - all;
      if (this.#setBytes > setBytesMax)
        refuse({
          file: cell.file,
          line: cell.line,
          at: "token",
          expected: "tokens of a request near one another",
          found: "too scattered to keep track of",
          hint: "sort the rows by request and token",
        });
    }
    if (tracks.get(index, track.cells) === 0) tracks.set(index, track.first, token);
    else if (token <= tracks.get(index, track.last)) {
      const restarts = token === tracks.get(index, track.first);
      tracks.add(index, restarts ? track.restarts : track.disorder, 1);
      if (!restarts) this.#restartsOnly = false;
      this.#repeat ??= placeOf(cell);
    }
    tracks.set(index, track.last, token);
    tracks.add(index, track.cells, 1);
    tracks.add(index, track.sumA, a);
    tracks.add(index, track.sumB, b);
    const { phase, step, position } = cell;
    tracks.add(index, track.facts, mix(mix(mix(a + (phase ?? 7)) + (step ?? 11)) + (position ?? 13)));
  }

  #detect(cell: TableCell, group: number): void {
    if (this.#detectors === null) return;
    const key = `${group} ${cell.layer}`;
    let detector = this.#detectors.get(key);
    if (detector === undefined) {
      if (this.#detectors.size >= detectorsMax) {
        this.#detectors = null;
        return;
      }
      detector = new WarmUpDetector();
      this.#detectors.set(key, detector);
    }
    detector.push(cell.ids, cell.weights, cell.ids.length);
  }

  finish(): TableShape {
    this.#problems.settle();
    const first = this.#first;
    const [blank] = this.#blank.values();
    if (first === null && blank === undefined)
      refuse({
        file: this.#file,
        expected: "at least one row with experts",
        found: "none",
        hint: "check the columns of the layer and of the experts",
      });
    if (first === null || (this.#idMax === 0 && this.#selections > unrecordedMin))
      refuse({
        file: (first ?? blank)?.file ?? "",
        expected: "experts that differ",
        found: "expert 0 in every row",
        hint: "the capture failed",
      });
    const blankLayers = this.#blankLayers();
    const layers = [...this.#layers.keys()].filter((layer) => !blankLayers.includes(layer)).sort((a, b) => a - b);
    let missing = 0;
    let firstMissing: string | null = null;
    let missingAtEnds = true;
    let repeats = false;
    const unsure = new Set<number>();
    const uncertain = new Set<number>();
    for (const stream of this.#streams) {
      let facts: number | null = null;
      const [sumA, sumB] = this.#sums[stream.index] ?? [0, 0];
      for (const layer of layers) {
        const tracks = this.#layers.get(layer)!;
        const of = (field: number) => tracks.get(stream.index, field);
        const cells = of(track.cells);
        const ascends = of(track.restarts) + of(track.disorder) === 0;
        const isWhole = cells === stream.tokens.size && of(track.sumA) === sumA && of(track.sumB) === sumB;
        if (!isWhole && !ascends) unsure.add(stream.index);
        if (!isWhole || !ascends) uncertain.add(stream.group);
        if (!isWhole && (cells >= stream.tokens.size || of(track.restarts) > 0)) repeats = true;
        if (isWhole) {
          facts ??= of(track.facts);
          if (facts !== of(track.facts))
            refuse({
              file: first.file,
              at: `layer ${layer}`,
              expected: `the same phase, step and position of a token in all layers, as in layer ${layers[0]}`,
              found: "others",
              hint: "a column that numbers lines or layers is none of these",
            });
        }
        if (cells >= stream.tokens.size) continue;
        missing += stream.tokens.size - cells;
        firstMissing ??= `layer ${layer}${this.#streams.length > 1 ? ` of ${this.#nameOf(stream)}` : ""} has ${cells} of ${stream.tokens.size} tokens`;
        const tail =
          cells === 0 ||
          (ascends && of(track.first) === stream.tokens.first && of(track.last) + 1 - of(track.first) === cells);
        if (!tail) missingAtEnds = false;
      }
    }
    const grid = this.#streams.reduce((sum, { tokens }) => sum + tokens.size, 0) * layers.length;
    this.#findWarmUp(layers, uncertain);
    return {
      groups: this.#groups,
      streams: this.#streams,
      layers,
      blankLayers,
      topK: this.#topK,
      idMin: this.#idMin,
      idMax: this.#idMax,
      selections: this.#selections,
      hasWeights: first.weights !== null,
      hasRequests: first.request !== null,
      hasSteps: first.step !== null,
      hasPhases: first.phase !== null,
      hasPositions: first.position !== null,
      layersOfFiles: this.#layersOfFiles,
      missing,
      grid,
      runsOn: this.#groups.length > 1 && this.#all.size === grid / layers.length,
      firstMissing,
      missingAtEnds,
      repeat: repeats ? this.#repeat : null,
      restartsOnly: this.#restartsOnly,
      unsure,
      sorted: this.#sorted,
      short: this.#short,
      firstShort: this.#firstShort,
      tokenFirst: this.#advances.overLayers > this.#advances.inLayer,
      looksForWarmUp: this.#detectors !== null,
    };
  }

  /** Layers that hold nothing but expert 0: dense ones, in buffers that have room for all. */
  #blankLayers(): number[] {
    for (const [layer, place] of this.#blank)
      if (this.#layers.has(layer))
        refuse({
          file: place.file,
          line: place.line,
          at: `layer ${layer}`,
          expected: "different experts",
          found: `expert 0 several times; other rows of the layer have experts`,
        });
    const unused = [...this.#largest].filter(
      ([layer, largest]) => largest === 0 && this.#cellsOf(layer) >= unrecordedMin,
    );
    return [...this.#blank.keys(), ...unused.map(([layer]) => layer)].sort((a, b) => a - b);
  }

  #cellsOf(layer: number): number {
    return this.#streams.reduce((sum, { index }) => sum + (this.#layers.get(layer)?.get(index, track.cells) ?? 0), 0);
  }

  #nameOf({ group, step }: Stream): string {
    const key = [...this.#groupOf].find(([, index]) => index === group)?.[0] ?? "";
    const [, request] = JSON.parse(key) as readonly (string | null)[];
    return (
      [request === null || request === undefined ? null : `request ${request}`, `step ${step}`].filter(
        (part) => part !== null,
      )[0] ?? ""
    );
  }

  /** Runs of equal rows count rows of a layer: they are tokens only where none is missing and all are in order. */
  #findWarmUp(layers: readonly number[], uncertain: ReadonlySet<number>): void {
    if (this.#detectors === null) return;
    for (const [index, group] of this.#groups.entries()) {
      const inOrder = group.streams.every(({ step }, i) => i === 0 || step > (group.streams[i - 1]?.step ?? 0));
      if (uncertain.has(index) || !inOrder) continue;
      const runs = layers.map((layer) => this.#detectors?.get(`${index} ${layer}`)?.finish() ?? []);
      group.dropped = commonRuns(runs);
    }
  }
}

function placeOf({ file, line, layer, token }: TableCell): Place {
  return { file, line, layer, token };
}
