import { refuse } from "../../../core/errors.ts";
import { traceLimits } from "../../container/trace-header.ts";
import { commonRuns, WarmUpDetector } from "../warm-up.ts";
import { CellCensus, type Stated } from "./cell-census.ts";
import { completenessOf, type SummedStream } from "./completeness.ts";
import { StreamKeys } from "./stream-keys.ts";
import type { TableCell } from "./table-cell.ts";
import { type Group, type Place, placeOf, type Stream, type TableReading, type TableShape } from "./table-shape.ts";
import { TokenSet } from "./token-set.ts";
import { mix, Tracks, tokenHash, track } from "./tracks.ts";

/** What keeps the memory of the first reading within a gigabyte, whatever the table. */
const tracksMax = 1 << 23;
const streamsMax = 1 << 21;
const detectorsMax = 1 << 20;
const setBytesMax = 512 * 1024 * 1024;

/** First reading of a table whose rows are in any order. */
export async function scanTable(
  cells: AsyncIterable<readonly TableCell[]>,
  reading: TableReading,
  file: string,
  stated: Stated,
): Promise<TableShape> {
  const scan = new TableScan(reading, file, stated);
  for await (const batch of cells) for (const cell of batch) scan.push(cell);
  return scan.finish();
}

class TableScan {
  readonly #file: string;
  readonly #keys: StreamKeys;
  readonly #census: CellCensus;
  readonly #groups: Group[] = [];
  readonly #groupOf = new Map<string, number>();
  readonly #streams: SummedStream[] = [];
  readonly #streamOf = new Map<string, SummedStream>();
  readonly #layers = new Map<number, Tracks>();
  readonly #layersOfFiles: Set<number>[] = [];
  /** Tokens of all streams, to see whether each has numbers of its own. */
  readonly #all = new TokenSet();
  #setBytes = 0;
  #detectors: Map<string, WarmUpDetector> | null = new Map();
  #repeat: Place | null = null;
  #restartsOnly = true;
  #last: TableCell | null = null;
  /** How often the next token came in the same layer, and after all layers of the one before. */
  #inLayer = 0;
  #overLayers = 0;
  #byPosition = true;

  constructor(reading: TableReading, file: string, stated: Stated) {
    this.#file = file;
    this.#keys = new StreamKeys(reading);
    this.#census = new CellCensus(file, stated);
  }

  push(cell: TableCell): void {
    if (!this.#census.counts(cell)) return;
    const key = this.#keys.groupKey(cell);
    const group = this.#groupFor(key, cell);
    const stream = this.#streamFor(group, this.#keys.stepOf(key, cell), cell);
    this.#collect(cell, stream);
    this.#follow(cell, stream.index, this.#tracksFor(cell));
    this.#detect(cell, group);
    if (this.#last !== null && cell.token > this.#last.token) {
      if (cell.layer === this.#last.layer) this.#inLayer += 1;
      else this.#overLayers += 1;
    }
    this.#last = cell;
    if (cell.position !== cell.token) this.#byPosition = false;
  }

  #groupFor(key: string, { domain, fileIndex }: TableCell): number {
    const known = this.#groupOf.get(key);
    if (known !== undefined) return known;
    this.#groupOf.set(key, this.#groups.length);
    this.#groups.push({ domain, fileIndex, streams: [], dropped: [] });
    return this.#groups.length - 1;
  }

  #streamFor(group: number, step: number, cell: TableCell): SummedStream {
    const key = `${group} ${step}`;
    const known = this.#streamOf.get(key);
    if (known !== undefined) return known;
    const stream = { group, step, tokens: new TokenSet(), index: this.#streams.length, sumA: 0, sumB: 0 };
    this.#streamOf.set(key, stream);
    this.#streams.push(stream);
    this.#groups[group]?.streams.push(stream);
    this.#checkSize(cell);
    return stream;
  }

  #tracksFor(cell: TableCell): Tracks {
    const { fileIndex, layer, file, line } = cell;
    while (this.#layersOfFiles.length <= fileIndex) this.#layersOfFiles.push(new Set());
    this.#layersOfFiles[fileIndex]?.add(layer);
    const known = this.#layers.get(layer);
    if (known !== undefined) return known;
    const tracks = new Tracks();
    this.#layers.set(layer, tracks);
    if (this.#layers.size > traceLimits.layers)
      refuse({ file, line, at: "layer", expected: `at most ${traceLimits.layers} layers`, found: layer });
    this.#checkSize(cell);
    return tracks;
  }

  #checkSize({ file, line }: TableCell): void {
    const streams = this.#streams.length;
    if (streams <= streamsMax && streams * this.#layers.size <= tracksMax) return;
    refuse({
      file,
      line,
      expected: `at most ${streamsMax} requests or steps, and ${tracksMax} times layers`,
      found: "more",
      hint: "import the files one by one, or check the columns of the request and the step",
    });
  }

  /** Adds the token to those of its stream. */
  #collect({ token, file, line }: TableCell, stream: SummedStream): void {
    const before = stream.tokens.bytes + this.#all.bytes;
    if (!stream.tokens.add(token)) return;
    this.#all.add(token);
    const [a, b] = tokenHash(token);
    stream.sumA = (stream.sumA + a) >>> 0;
    stream.sumB = (stream.sumB + b) >>> 0;
    this.#setBytes += stream.tokens.bytes + this.#all.bytes - before;
    if (this.#setBytes > setBytesMax)
      refuse({
        file,
        line,
        at: "token",
        expected: "tokens of a request near one another",
        found: "too scattered to keep track of",
        hint: "sort the rows by request and token",
      });
  }

  #follow(cell: TableCell, stream: number, tracks: Tracks): void {
    const { token, phase, step, position, tokenId } = cell;
    const [a, b] = tokenHash(token);
    if (tracks.get(stream, track.cells) === 0) tracks.set(stream, track.first, token);
    else if (token <= tracks.get(stream, track.last)) {
      const restarts = token === tracks.get(stream, track.first);
      tracks.add(stream, restarts ? track.restarts : track.disorder, 1);
      if (!restarts) this.#restartsOnly = false;
      this.#repeat ??= placeOf(cell);
    }
    tracks.set(stream, track.last, token);
    tracks.add(stream, track.cells, 1);
    tracks.add(stream, track.sumA, a);
    tracks.add(stream, track.sumB, b);
    tracks.add(
      stream,
      track.facts,
      mix(mix(mix(mix(a + (phase ?? 7)) + (step ?? 11)) + (position ?? 13)) + (tokenId ?? 17)),
    );
  }

  #detect({ layer, ids, weights }: TableCell, group: number): void {
    if (this.#detectors === null) return;
    const key = `${group} ${layer}`;
    let detector = this.#detectors.get(key);
    if (detector === undefined) {
      if (this.#detectors.size >= detectorsMax) {
        this.#detectors = null;
        return;
      }
      detector = new WarmUpDetector();
      this.#detectors.set(key, detector);
    }
    detector.push(ids, weights, ids.length);
  }

  finish(): TableShape {
    const { first, ...census } = this.#census.finish();
    const layers = [...this.#layers.keys()]
      .filter((layer) => !census.blankLayers.includes(layer))
      .sort((a, b) => a - b);
    const found = completenessOf(this.#streams, layers, this.#layers, this.#file);
    const { missing, firstMissing, missingAtEnds, unsure } = found;
    const tokens = this.#streams.reduce((sum, stream) => sum + stream.tokens.size, 0);
    this.#findWarmUp(layers, found.disordered);
    return {
      ...census,
      groups: this.#groups,
      streams: this.#streams,
      layers,
      hasWeights: first.weights !== null,
      hasRequests: first.request !== null,
      hasSteps: first.step !== null,
      hasPhases: first.phase !== null,
      hasPositions: first.position !== null,
      hasTokenIds: first.tokenId !== null,
      layersOfFiles: this.#layersOfFiles,
      missing,
      missingAtEnds,
      unsure,
      firstMissing:
        firstMissing === null
          ? null
          : `layer ${firstMissing.layer}${this.#nameOf(firstMissing.stream)} has ${firstMissing.cells} of ${firstMissing.stream.tokens.size} tokens`,
      grid: tokens * layers.length,
      runsOn: this.#groups.length > 1 && this.#all.size === tokens,
      scattered: this.#scattered(layers),
      repeat: found.repeats ? this.#repeat : null,
      restartsOnly: this.#restartsOnly,
      tokenFirst: this.#overLayers > this.#inLayer,
      byPosition: this.#byPosition,
      looksForWarmUp: this.#detectors !== null,
    };
  }

  /** The first stream whose numbers leave out more than they hold and are in no order: ids of a vocabulary may look so. */
  #scattered(layers: readonly number[]): string | null {
    const stream = this.#streams.find(
      ({ tokens, index }) =>
        tokens.end - tokens.first > 2 * tokens.size &&
        layers.some((layer) => (this.#layers.get(layer)?.get(index, track.disorder) ?? 0) > 0),
    );
    if (stream === undefined) return null;
    const { size, first, end } = stream.tokens;
    return `${size} numbers from ${first} to ${end - 1}${this.#nameOf(stream)}, in no order`;
  }

  /** Which stream it is, in words, where there are several. */
  #nameOf({ group, step }: Stream): string {
    if (this.#streams.length === 1) return "";
    const key = [...this.#groupOf].find(([, index]) => index === group)?.[0] ?? "[]";
    const [, request] = JSON.parse(key) as readonly (string | null | undefined)[];
    return typeof request === "string" ? ` of request ${request}` : ` of step ${step}`;
  }

  /** Runs of equal rows count rows of a layer: they are tokens only where none is missing and all are in order. */
  #findWarmUp(layers: readonly number[], disordered: ReadonlySet<number>): void {
    for (const [index, group] of this.#groups.entries()) {
      const inOrder = group.streams.every(({ step }, i) => i === 0 || step > (group.streams[i - 1]?.step ?? 0));
      if (disordered.has(index) || !inOrder) continue;
      group.dropped = commonRuns(layers.map((layer) => this.#detectors?.get(`${index} ${layer}`)?.finish() ?? []));
    }
  }
}
