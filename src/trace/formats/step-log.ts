import { refuse } from "../../core/errors.ts";
import { type TraceImporter, unlabelled } from "./importer.ts";
import { firstObject, jsonLines } from "./json-lines.ts";
import { importLog, type LogCell, scanLog } from "./layered-log.ts";
import { importedProvenance } from "./provenance.ts";
import { groupingRules, groupSteps } from "./step-grouping.ts";
import type { rowsIn } from "./warm-up.ts";

/**
 * JSON lines of a vLLM logger: a `meta` line, then `{type: route, req_id, token_idx, layer, topk_ids, topk_weights}` in
 * the order the engine ran. `token_idx` is the place in the batch of a step, so a step starts where it returns to 0;
 * `req_id` names no request. One file may hold one layer: files are joined row by row.
 */
export const stepLog: TraceImporter = {
  description: "vLLM step-logger JSON lines: type, req_id, token_idx, layer, topk_ids, topk_weights",

  detects({ text }): boolean {
    const first = firstObject(text);
    return first?.["type"] === "meta" || (first?.["type"] === "route" && "topk_ids" in first);
  },

  async import(paths, options, files) {
    const facts = new LogFacts();
    const warnings: string[] = [];
    const shape = await scanLog(cellsOf(paths, facts), options, warnings);
    const sizes = facts.stepSizes(paths[0] ?? "");
    const dropped = shape.dropped[0] ?? [];
    const kept = keptSteps(sizes, dropped);
    const grouping = options.grouping ?? "auto";
    const groupOf = groupSteps(kept, grouping);
    const startOf: number[] = [];
    let rows = 0;
    for (const size of kept) {
      startOf.push(rows);
      rows += size;
    }
    let step = 0;
    return importLog({
      shape,
      model: options.model ?? facts.model ?? "unknown",
      domains: [options.domains?.[0] ?? unlabelled],
      provenance: {
        ...importedProvenance(`vLLM logger${facts.version}`, groupingRules[grouping], options, files, [
          `${kept.length} steps were recorded besides warm-up`,
        ]),
        ...(facts.date === undefined ? {} : { date: facts.date }),
        ...(Object.keys(facts.versions).length === 0 ? {} : { versions: facts.versions }),
      },
      columns: ["sequence", "position", "phase", "step", "slot", "domain"],
      warnings,
      cells: () => cellsOf(paths, new LogFacts()),
      place(_stream, row) {
        if (row < (startOf[step] ?? 0)) step = 0;
        while (row >= (startOf[step] ?? 0) + (kept[step] ?? 1)) step += 1;
        const slot = row - (startOf[step] ?? 0);
        return { ...groupOf(step, slot), step, slot, domain: 0 };
      },
    });
  },
};

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

/** What the lines of a log say besides the routing: meta lines, and the steps of every layer. */
class LogFacts {
  model: string | undefined;
  date: string | undefined;
  version = "";
  readonly versions: Record<string, string> = {};
  readonly #steps = new Map<number, { rows: number; starts: number[]; previous: number }>();

  readMeta(text: (key: string) => string | undefined): void {
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
  }

  /** Number of this row in its layer; refuses a place in the batch that neither starts nor continues a step. */
  nextRow(layer: number, place: number, file: string, line: number): number {
    let steps = this.#steps.get(layer);
    if (steps === undefined) {
      steps = { rows: 0, starts: [], previous: -1 };
      this.#steps.set(layer, steps);
    }
    if (place === 0) steps.starts.push(steps.rows);
    else if (place !== steps.previous + 1)
      refuse({ file, line, at: "token_idx", expected: `0 or ${steps.previous + 1}`, found: place });
    steps.previous = place;
    steps.rows += 1;
    return steps.rows - 1;
  }

  /** Rows per step; all layers must agree, or rows of different tokens would be joined. */
  stepSizes(file: string): number[] {
    const layers = [...this.#steps];
    const [, first = { rows: 0, starts: [], previous: -1 }] = layers[0] ?? [];
    for (const [layer, steps] of layers)
      if (steps.rows !== first.rows || steps.starts.join() !== first.starts.join())
        refuse({
          file,
          at: `layer ${layer}`,
          expected: `the ${first.starts.length} steps and ${first.rows} rows of layer ${layers[0]?.[0]}`,
          found: `${steps.starts.length} steps and ${steps.rows} rows`,
          hint: "files that were recorded in different runs cannot be joined row by row",
        });
    return first.starts.map((start, i) => (first.starts[i + 1] ?? first.rows) - start);
  }
}

async function* cellsOf(paths: readonly string[], facts: LogFacts): AsyncGenerator<LogCell> {
  for (const path of paths)
    for await (const row of jsonLines(path)) {
      const type = row.text("type");
      if (type === "meta") {
        facts.readMeta((key) => (row.has(key) ? row.label(key) : undefined));
        continue;
      }
      if (type !== "route") continue;
      const ids = row.wholes("topk_ids");
      const layer = row.whole("layer");
      yield {
        file: path,
        line: row.line,
        stream: 0,
        layer,
        token: facts.nextRow(layer, row.whole("token_idx"), path, row.line),
        ids,
        weights: row.has("topk_weights") ? row.numbers("topk_weights", ids.length) : null,
      };
    }
}
