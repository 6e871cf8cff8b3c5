import { refuse } from "../../core/errors.ts";
import { type FileArray, integerBlocks } from "../container/arrays.ts";
import type { TraceProvenance } from "../container/trace-header.ts";
import { addCounts, type CountsStep, importCounts, toCounts } from "./counts-trace.ts";
import { fileName, type ImportedTrace, type ImportOptions, type TraceImporter, unlabelled } from "./importer.ts";
import { joinLayers } from "./join-layers.ts";
import { layerNumbers } from "./kept-layers.ts";
import { importedProvenance } from "./provenance.ts";
import { openRank, type Rank, type RankMeta, readMeta, tensorKey, withoutTwins } from "./rank-files.ts";
import { agreed, importRows } from "./row-parts.ts";
import type { RowBlock, RowPart } from "./row-source.ts";
import { groupingRules, groupSteps } from "./step-grouping.ts";

/**
 * Expert statistics of TensorRT-LLM (`EXPERT_STATISTIC_PATH`): `meta_info.json` (num_experts, num_experts_per_token)
 * and per rank safetensors with a tensor per `<iteration>_<layer>`: counts [experts], or, in `rank*_raw` and
 * `token_selected_experts_rank*`, the chosen ids [tokens, k]. Ids give a tokens trace, else the counts of all ranks
 * are added up. Ranks with the same data (tensor parallelism) are taken once; co-occurrence files are not read.
 */
export const tensorrtLlm: TraceImporter = {
  description: "TensorRT-LLM expert statistics: meta_info.json with rank*.safetensors",

  detects({ fileName, arrays, text }): boolean {
    if (fileName === "meta_info.json") return text.includes("num_experts");
    return arrays !== null && arrays.length > 0 && arrays.every(({ name }) => tensorKey.test(name));
  },

  async import(paths, options, files) {
    const meta = await readMeta(paths.find((path) => fileName(path) === "meta_info.json"));
    const warnings: string[] = [];
    const all: Rank[] = [];
    for (const path of paths) {
      if (!path.endsWith(".safetensors") || fileName(path).startsWith("cooccurrence")) continue;
      all.push(await openRank(path));
    }
    const raw = all.filter(({ dims }) => dims === 2);
    const counted = all.filter(({ dims }) => dims === 1);
    const kind = options.kind ?? (raw.length > 0 ? "tokens" : "counts");
    const chosen = await withoutTwins(kind === "tokens" ? raw : counted, warnings);
    if (chosen.length === 0)
      refuse({
        file: paths[0] ?? "",
        expected: kind === "tokens" ? "tensors [tokens, k]" : "tensors [experts]",
        found: `${all.length} safetensors files without them`,
      });
    if (kind === "tokens" && counted.length > 0)
      warnings.push(`${counted.length} files of counts were not read: the ids are imported`);
    return kind === "tokens"
      ? tokensOf(chosen, options, meta, files, warnings)
      : countsOf(chosen, options, meta, files, warnings);
  },
};

function tokensOf(
  ranks: readonly Rank[],
  options: ImportOptions,
  meta: RankMeta,
  files: NonNullable<TraceProvenance["files"]>,
  warnings: readonly string[],
): Promise<ImportedTrace> {
  const layers = ranks[0]?.layers ?? [];
  const topK = ranks[0]?.tensor(ranks[0].iterations[0] ?? 0, layers[0] ?? 0).shape[1] ?? 0;
  const grouping = options.grouping ?? "auto";
  const parts: RowPart[] = [];
  let sequences = 0;
  for (const rank of ranks) {
    const tensorsOf = (iteration: number) => layers.map((layer) => rank.tensor(iteration, layer));
    const sizes = rank.iterations.map((iteration) => tensorsOf(iteration)[0]?.shape[0] ?? 0);
    const groupOf = groupSteps(sizes, grouping);
    const first = sequences;
    sequences += sizes.reduce((sum, size) => sum + size, 0);
    for (const [index, iteration] of rank.iterations.entries()) {
      for (const { name, shape } of tensorsOf(iteration))
        if (shape[0] !== sizes[index] || shape[1] !== topK)
          refuse({
            file: rank.file,
            at: name,
            expected: `[${sizes[index]}, ${topK}], as other tensors have`,
            found: shape,
          });
      parts.push({
        file: rank.file,
        at: `iteration ${iteration}`,
        domain: 0,
        blocks: () => blocksOf(tensorsOf(iteration), topK),
        place(slot) {
          const group = groupOf(index, slot);
          return { ...group, sequence: first + group.sequence, step: iteration, slot };
        },
      });
    }
  }
  return importRows(
    {
      parts,
      layers: layers.length,
      width: topK,
      hasWeights: false,
      columns: ["sequence", "position", "phase", "step", "slot", "domain"],
      domains: [options.domains?.[0] ?? unlabelled],
      modelLayers: layerNumbers(layers.length, options, layers),
      inputLayers: layers,
      model: "unknown",
      provenance: importedProvenance(
        meta.source ?? "TensorRT-LLM expert statistics",
        `${groupingRules[grouping]}; ranks one after another`,
        options,
        files,
      ),
      warnings,
      stated: { experts: meta.experts, topK: meta.topK },
      dropWarmUp: true,
    },
    options,
  );
}

async function* blocksOf(tensors: readonly FileArray[], topK: number): AsyncGenerator<RowBlock> {
  for await (const ids of joinLayers(tensors, topK))
    yield { rows: ids.length / tensors.length / topK, ids, weights: null };
}

function countsOf(
  ranks: readonly Rank[],
  options: ImportOptions,
  meta: RankMeta,
  files: NonNullable<TraceProvenance["files"]>,
  warnings: readonly string[],
): Promise<ImportedTrace> {
  const layers = ranks[0]?.layers ?? [];
  const iterations = [...new Set(ranks.flatMap((rank) => rank.iterations))].sort((a, b) => a - b);
  const file = ranks[0]?.file ?? "";
  const stated = agreed(meta.experts, options.experts, file, "experts");
  const experts = stated ?? ranks[0]?.tensor(ranks[0].iterations[0] ?? 0, layers[0] ?? 0).shape[0] ?? 0;
  async function* read(): AsyncGenerator<CountsStep> {
    for (const iteration of iterations) {
      const counts = new Uint32Array(layers.length * experts);
      for (const rank of ranks) {
        if (!rank.iterations.includes(iteration)) continue;
        for (const [place, layer] of layers.entries()) {
          const tensor = rank.tensor(iteration, layer);
          if (tensor.shape[0] !== experts)
            refuse({ file: rank.file, at: tensor.name, expected: `[${experts}]`, found: tensor.shape });
          for await (const values of integerBlocks(tensor, experts, 1))
            addCounts(
              counts.subarray(place * experts, (place + 1) * experts),
              toCounts(values, rank.file, tensor.name),
              rank.file,
            );
        }
      }
      yield { counts, domain: 0, step: iteration };
    }
  }
  return importCounts(
    {
      file,
      steps: iterations.length,
      modelLayers: layerNumbers(layers.length, options, layers),
      inputLayers: layers,
      experts,
      topK: meta.topK ?? null,
      model: "unknown",
      domains: [options.domains?.[0] ?? unlabelled],
      provenance: importedProvenance(
        meta.source ?? "TensorRT-LLM expert statistics",
        "counts per iteration, ranks added up",
        options,
        files,
      ),
      warnings,
      read,
    },
    options,
  );
}
