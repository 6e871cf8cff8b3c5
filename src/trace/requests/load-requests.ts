import { basename } from "node:path";
import { refuse } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import { formatDuration } from "../../core/units.ts";
import type { RequestTable } from "../request-table.ts";
import { checkLoadOptions, type LoadRequestsOptions } from "./load-options.ts";
import type { RequestFormat } from "./request-format.ts";
import { type RequestFormatName, recogniseRequestFormat, requestFormats } from "./request-formats.ts";
import { RowCollector } from "./row-collector.ts";
import { TextSource } from "./text-source.ts";

const decompressedBytesMaxDefault = 2 * 1024 * 1024 * 1024;

/**
 * Reads a request trace (plain or gzip, streamed once) into a table ordered by arrival, time 0 being its first arrival.
 * Refuses with every wrong row's place (20 at most); what was left out, sorted, moved or scaled is in `origin.notes`.
 */
export async function loadRequests(
  format: RequestFormatName | "auto",
  path: string,
  options: LoadRequestsOptions = {},
): Promise<RequestTable> {
  checkLoadOptions(options);
  const source = await TextSource.open(path, options.decompressedBytesMax ?? decompressedBytesMaxDefault);
  try {
    const layout: RequestFormat =
      requestFormats[format === "auto" ? recogniseRequestFormat(source.head, path) : format];
    const rng = new RandomStream(options.seed ?? 0, "request-trace");
    const blockTokens = layout.blockTokens === null ? null : (options.blockTokens ?? layout.blockTokens);
    const collector = new RowCollector(path, {
      limit: options.limit ?? Number.POSITIVE_INFINITY,
      thin: options.thin === undefined ? null : { share: options.thin, rng: rng.fork("thin") },
      className: options.class ?? null,
      blockTokens,
    });
    const read = layout.start(collector);
    for await (const { lines, firstLine } of source.batches(layout.unit)) if (!collector.full) read(lines, firstLine);
    collector.settle();
    if (collector.count === 0) refuse({ file: path, expected: "at least one request with tokens" });
    return tableOf(collector, path, source.digest(), blockTokens, options, rng.fork("jitter"));
  } finally {
    await source.close();
  }
}

function tableOf(
  rows: RowCollector,
  path: string,
  digest: string,
  blockTokens: number | null,
  options: LoadRequestsOptions,
  jitter: RandomStream,
): RequestTable {
  const recordedNs = rows.atNs.view();
  const notes = notesOf(rows, recordedNs, blockTokens, options);
  const movedNs = replayTimes(recordedNs, rows.rowOf.view(), options, jitter);
  const order = arrivalOrder(movedNs);
  const arrivalNs = Float64Array.from(order, (row) => movedNs[row]!);
  const lastNs = arrivalNs.at(-1) ?? 0;
  if (!Number.isSafeInteger(lastNs))
    refuse({
      file: path,
      expected: "arrivals within 2^53 ns (104 days)",
      found: formatDuration(lastNs),
      hint: "use limit",
    });
  const [prompt, output, classOf] = [rows.prompt.view(), rows.output.view(), rows.classOf.view()];
  return {
    count: rows.count,
    arrivalNs,
    promptTokens: Uint32Array.from(order, (row) => prompt[row]!),
    outputTokens: Uint32Array.from(order, (row) => output[row]!),
    classOf: Uint16Array.from(order, (row) => classOf[row]!),
    classes: [...rows.classes.keys()],
    domainOf: options.domain === undefined ? null : new Uint16Array(rows.count),
    domains: options.domain === undefined ? [] : [options.domain],
    prefix: blockTokens === null || rows.blockRows === 0 ? null : prefixOf(rows, order, blockTokens),
    origin: { kind: "recorded", name: basename(path), digest, notes },
  };
}

/** Arrivals from the first one on, with jitter inside the file's quantum and time compressed; integer ns. */
function replayTimes(
  recordedNs: Float64Array,
  rowOf: Uint32Array,
  { jitterQuantumNs = 0, rateScale = 1 }: LoadRequestsOptions,
  jitter: RandomStream,
): Float64Array {
  let firstNs = Number.POSITIVE_INFINITY;
  for (const atNs of recordedNs) firstNs = Math.min(firstNs, atNs);
  return recordedNs.map((atNs, row) => {
    const movedNs = jitterQuantumNs === 0 ? 0 : Math.floor(jitter.at(rowOf[row]!) * jitterQuantumNs);
    return Math.round((atNs - firstNs + movedNs) / rateScale);
  });
}

/** Rows by arrival, equal arrivals in file order. */
function arrivalOrder(atNs: Float64Array): Uint32Array {
  const order = Uint32Array.from(atNs, (_, row) => row);
  return outOfOrder(atNs) === 0 ? order : order.sort((a, b) => atNs[a]! - atNs[b]! || a - b);
}

function outOfOrder(atNs: Float64Array): number {
  let count = 0;
  for (let row = 1; row < atNs.length; row += 1) if (atNs[row]! < atNs[row - 1]!) count += 1;
  return count;
}

function prefixOf(rows: RowCollector, order: Uint32Array, blockTokens: number): RequestTable["prefix"] {
  const [ends, recorded] = [rows.blockEnds.view(), rows.blockIds.view()];
  const offsets = new Uint32Array(order.length + 1);
  const ids = new Uint32Array(recorded.length);
  for (const [position, row] of order.entries()) {
    const blocks = recorded.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]!);
    ids.set(blocks, offsets[position]!);
    offsets[position + 1] = offsets[position]! + blocks.length;
  }
  return { blockTokens, offsets, ids };
}

function notesOf(
  rows: RowCollector,
  recordedNs: Float64Array,
  blockTokens: number | null,
  options: LoadRequestsOptions,
): string[] {
  const { thin, limit, jitterQuantumNs, rateScale, seed = 0 } = options;
  const notes: string[] = [];
  if (rows.emptyRows > 0)
    notes.push(`${rows.emptyRows} rows without prompt or output tokens left out (first: ${rows.firstEmpty})`);
  if (thin !== undefined) notes.push(`thinned to a share of ${thin} (seed ${seed}): ${rows.count} of ${rows.rows}`);
  if (limit !== undefined && rows.full) notes.push(`first ${limit} requests only`);
  const misplaced = outOfOrder(recordedNs);
  if (misplaced > 0) notes.push(`${misplaced} rows earlier than the row before them; sorted by arrival`);
  const distinct = recordedNs
    .slice()
    .sort()
    .reduce((found, atNs, i, sorted) => found + (atNs === sorted[i - 1] ? 0 : 1), 0);
  if (jitterQuantumNs !== undefined)
    notes.push(
      `arrivals moved by uniform jitter inside a quantum of ${formatDuration(jitterQuantumNs)} (seed ${seed})`,
    );
  else if (distinct * 2 < rows.count)
    notes.push(`${rows.count} requests share ${distinct} arrival times: quantised timestamps replay as bursts`);
  if (rateScale !== undefined && rateScale !== 1) notes.push(`time compressed by ${rateScale}`);
  if (blockTokens !== null && rows.blockRows > 0 && rows.unevenRows > 0)
    notes.push(`${rows.unevenRows} rows whose prefix blocks are not ceil(prompt / ${blockTokens}); surplus left out`);
  return notes;
}
