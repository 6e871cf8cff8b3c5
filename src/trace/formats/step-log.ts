import { type TraceImporter, unlabelled } from "./importer.ts";
import { firstObject, type JsonLine, jsonLines } from "./json-lines.ts";
import { importLog, type LogCell, type LogPlace, scanLog } from "./layered-log.ts";
import { LogSteps } from "./log-steps.ts";
import { importedProvenance } from "./provenance.ts";
import { agreed } from "./row-parts.ts";
import { groupSteps } from "./step-grouping.ts";
import { readSteps } from "./step-reading.ts";
import type { rowsIn } from "./warm-up.ts";

/**
 * JSON lines of a vLLM logger: a `meta` line, then `{type: route, req_id, token_idx, layer, topk_ids, topk_weights}` in
 * the order the engine ran. Where `req_id` names requests, they are the sequences. Where it is constant, the rows are
 * looked at: `token_idx` may be the place in the batch of a step, or run on over the tokens of a request. One file may
 * hold one layer: files are joined row by row.
 */
export const stepLog: TraceImporter = {
  description: "vLLM step-logger JSON lines: type, req_id, token_idx, layer, topk_ids, topk_weights",

  detects({ text }): boolean {
    const first = firstObject(text);
    return first?.["type"] === "meta" || (first?.["type"] === "route" && "topk_ids" in first);
  },

  async import(paths, options, files) {
    const facts = new LogFacts();
    const steps = new LogSteps();
    const warnings: string[] = [];
    const shape = await scanLog(cellsOf(paths, facts, steps), options, warnings, () => facts);
    const dropped = shape.dropped[0] ?? [];
    const sizes = keptSteps(steps.sizes(paths[0] ?? ""), dropped);
    const requests = options.grouping === undefined || options.grouping === "auto" ? steps.requests(dropped) : null;
    const log = {
      shape,
      model: options.model ?? facts.model ?? "unknown",
      domains: [options.domains?.[0] ?? unlabelled],
      warnings,
      cells: () => cellsOf(paths, new LogFacts(), null),
    };
    const provenance = (rule: string) => ({
      ...importedProvenance(`vLLM logger${facts.version}`, rule, options, files, [
        `${sizes.length} steps were recorded besides warm-up`,
      ]),
      ...(facts.date === undefined ? {} : { date: facts.date }),
      ...(Object.keys(facts.versions).length === 0 ? {} : { versions: facts.versions }),
    });
    if (requests !== null)
      return importLog({
        ...log,
        provenance: provenance("req_id names the request of each row; its rows are in order"),
        columns: ["sequence", "position", "domain"],
        place: (_stream, row) => ({ ...requests(row), domain: 0 }),
      });
    steps.refuseGaps();
    const reading = readSteps(sizes, steps.sample(dropped), options.grouping ?? "auto");
    warnings.push(...reading.warnings);
    const streams = options.interleaved ?? 1;
    const groupOf = streams > 1 ? inTurn(streams, sizes) : groupSteps(sizes, reading.grouping);
    const rule =
      streams > 1 ? `row i of a step is token floor(i / ${streams}) of request i mod ${streams}` : reading.rule;
    return importLog({
      ...log,
      provenance: provenance(rule),
      columns: ["sequence", "position", "phase", "step", "slot", "domain"],
      place: placesIn(sizes, groupOf),
    });
  },
};

/** Place of each kept row, asked for in ascending order. */
function placesIn(
  sizes: readonly number[],
  groupOf: (step: number, slot: number) => Omit<LogPlace, "domain">,
): (stream: number, row: number) => LogPlace {
  const startOf: number[] = [];
  let rows = 0;
  for (const size of sizes) {
    startOf.push(rows);
    rows += size;
  }
  let step = 0;
  return (_stream, row) => {
    if (row < (startOf[step] ?? 0)) step = 0;
    while (row >= (startOf[step] ?? 0) + (sizes[step] ?? 1)) step += 1;
    const slot = row - (startOf[step] ?? 0);
    return { ...groupOf(step, slot), step, slot, domain: 0 };
  };
}

/** Rows of each step that are of `streams` requests in turn. */
function inTurn(streams: number, sizes: readonly number[]): (step: number, slot: number) => Omit<LogPlace, "domain"> {
  const first: number[] = [];
  let sequences = 0;
  for (const size of sizes) {
    first.push(sequences);
    sequences += Math.min(size, streams);
  }
  return (step, slot) => ({ sequence: (first[step] ?? 0) + (slot % streams), position: Math.floor(slot / streams) });
}

/** Sizes of the steps that are left when warm-up rows are taken out. */
function keptSteps(sizes: readonly number[], dropped: Parameters<typeof rowsIn>[0]): number[] {
  let from = 0;
  return sizes
    .map((size) => {
      const to = from + size;
      const lost = dropped.reduce((sum, run) => sum + Math.max(0, Math.min(to, run.to) - Math.max(from, run.from)), 0);
      from = to;
      return size - lost;
    })
    .filter((size) => size > 0);
}

const expertsKeys = ["num_experts", "n_routed_experts", "num_routed_experts", "num_local_experts"];
const topKKeys = ["top_k", "topk", "num_experts_per_tok", "num_experts_per_token"];

/** What the meta lines of a log say. */
class LogFacts {
  model: string | undefined;
  date: string | undefined;
  experts: number | undefined;
  topK: number | undefined;
  version = "";
  readonly versions: Record<string, string> = {};

  readMeta(row: JsonLine): void {
    const text = (key: string) => (row.has(key) ? row.label(key) : undefined);
    this.model ??= text("model_id");
    const vllm = text("vllm_version");
    if (vllm !== undefined) {
      this.version = ` ${vllm}`;
      this.versions["vllm"] = vllm;
    }
    const torch = text("torch_version");
    if (torch !== undefined) this.versions["torch"] = torch;
    const created = text("created_at");
    if (created !== undefined) this.date ??= `${created} s since 1970`;
    for (const key of expertsKeys)
      if (row.has(key)) this.experts = agreed(row.whole(key), this.experts, row.file, "experts");
    for (const key of topKKeys)
      if (row.has(key)) this.topK = agreed(row.whole(key), this.topK, row.file, "experts per token");
  }
}

async function* cellsOf(paths: readonly string[], facts: LogFacts, steps: LogSteps | null): AsyncGenerator<LogCell> {
  const rows = new Map<number, number>();
  for (const path of paths)
    for await (const row of jsonLines(path)) {
      const type = row.text("type");
      if (type === "meta") facts.readMeta(row);
      if (type !== "route") continue;
      const ids = row.wholes("topk_ids");
      const layer = row.whole("layer");
      const token = rows.get(layer) ?? 0;
      rows.set(layer, token + 1);
      steps?.push(layer, row, ids);
      yield {
        file: path,
        line: row.line,
        stream: 0,
        layer,
        token,
        ids,
        weights: row.has("topk_weights") ? row.numbers("topk_weights", ids.length) : null,
      };
    }
}
