import { refuse } from "../../core/errors.ts";
import { formatPercent } from "../../core/units.ts";
import { domainsOfFiles, type TraceImporter } from "./importer.ts";
import { firstObject, type JsonLine, jsonLines } from "./json-lines.ts";
import { importLog, type LogCell, missingNote, scanLog } from "./layered-log.ts";
import { importedProvenance } from "./provenance.ts";
import { type LayerRows, neighbourLocality, surely } from "./step-locality.ts";

/**
 * JSON lines with one layer of one batch each: `layer`, `batch_id`, `topk_experts` [tokens][k], optionally
 * `topk_weights` alike, `request_id`, `source_file` and `origin_rows` (the device that a token came from, which is not
 * routing). The layers of a batch are joined row by row. Batches of one request follow one another.
 */
export const batchLog: TraceImporter = {
  description: "JSON lines of one layer and batch: layer, batch_id, topk_experts, topk_weights",

  detects({ text }): boolean {
    const first = firstObject(text);
    return first !== null ? isLine(first) : /^\s*\{[^\n]{0,2000}"topk_experts"\s*:\s*\[\s*\[/.test(text);
  },

  async import(paths, options, files) {
    const domains = domainsOfFiles(paths, options);
    const batches = new Batches();
    const warnings: string[] = [];
    const shape = await scanLog(cellsOf(paths, batches), options, warnings);
    const note = missingNote(shape);
    if (note !== null) warnings.push(note);
    warnings.push(...batches.doubts());
    const names = [...new Set(domains)];
    return importLog({
      shape,
      model: options.model ?? "unknown",
      domains: names,
      provenance: importedProvenance(
        "batch log",
        "each request, or each batch where none is named, is one sequence in row order",
        options,
        files,
        note === null ? [] : [note],
      ),
      columns: ["sequence", "position", "domain"],
      warnings,
      cells: () => cellsOf(paths, batches),
      place: (stream, row) => ({
        sequence: stream,
        position: row,
        domain: names.indexOf(domains[batches.fileOf[stream] ?? 0] ?? ""),
      }),
    });
  },
};

const isLine = (fields: object): boolean => "topk_experts" in fields && "layer" in fields;

const sampleBatchesMax = 256;

/** Requests by first appearance, and the rows of each batch, which all layers must have. */
class Batches {
  /** File that each request was first seen in. */
  readonly fileOf: number[] = [];
  readonly #requests = new Map<string, number>();
  readonly #rows = new Map<string, number>();
  readonly #sample: { layer: LayerRows; rows: number }[] = [];
  #named = true;

  /** Number of the request that a line belongs to. */
  requestOf(row: JsonLine, file: number, ids: readonly (readonly number[])[]): number {
    const source = row.has("source_file") ? row.label("source_file") : `file ${file}`;
    const batch = JSON.stringify([source, row.has("batch_id") ? row.label("batch_id") : null]);
    const rows = this.#rows.get(batch);
    if (rows === undefined) {
      this.#rows.set(batch, ids.length);
      const topK = ids[0]?.length ?? 1;
      if (this.#sample.length < sampleBatchesMax)
        this.#sample.push({ layer: { ids: Int32Array.from(ids.flat()), topK }, rows: ids.length });
    } else if (rows !== ids.length)
      refuse({
        file: row.file,
        line: row.line,
        at: "topk_experts",
        expected: `${rows} tokens, as another layer of this batch has`,
        found: ids.length,
      });
    if (!row.has("request_id")) this.#named = false;
    const key = row.has("request_id") ? JSON.stringify([source, row.label("request_id")]) : batch;
    const known = this.#requests.get(key);
    if (known !== undefined) return known;
    this.#requests.set(key, this.#requests.size);
    this.fileOf.push(file);
    return this.#requests.size - 1;
  }

  /** A warning where no request is named and nothing shows that the rows of a batch are one text. */
  doubts(): string[] {
    if (this.#named) return [];
    const locality = this.#sample.map(({ layer, rows }) => neighbourLocality([layer], [{ from: 0, to: rows }]));
    if (locality.some(({ z }) => z >= surely)) return [];
    const { share = 0, chance = 0 } = locality[0] ?? {};
    return [
      `no request is named and neighbouring rows of a batch share ${formatPercent(share)} of their experts, any rows ` +
        `${formatPercent(chance)}: each batch is read as one sequence in row order, which its rows do not show`,
    ];
  }
}

async function* cellsOf(paths: readonly string[], batches: Batches): AsyncGenerator<LogCell> {
  const tokens = new Map<string, number>();
  for (const [index, path] of paths.entries())
    for await (const row of jsonLines(path)) {
      const layer = row.whole("layer");
      const rows = row.wholeLists("topk_experts");
      const weights = row.has("topk_weights") ? row.numberLists("topk_weights", rows) : null;
      const stream = batches.requestOf(row, index, rows);
      const track = `${stream} ${layer}`;
      const from = tokens.get(track) ?? 0;
      tokens.set(track, from + rows.length);
      for (const [i, ids] of rows.entries())
        yield { file: path, line: row.line, stream, layer, token: from + i, ids, weights: weights?.[i] ?? null };
    }
}
