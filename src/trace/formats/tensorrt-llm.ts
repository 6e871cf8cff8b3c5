import { createHash } from "node:crypto";
import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { parseJson } from "../../core/json.ts";
import type { TraceProvenance } from "../container/trace-header.ts";
import { textLines } from "../text-lines.ts";
import { type FileArray, integerBlocks, openArrays } from "./arrays.ts";
import { addCounts, type CountsStep, importCounts, toCounts } from "./counts-trace.ts";
import { fileName, type ImportedTrace, type ImportOptions, type TraceImporter } from "./importer.ts";
import { importedProvenance } from "./provenance.ts";
import { importRows, type RowBlock, type RowPart } from "./row-parts.ts";
import { groupingRules, groupSteps } from "./step-grouping.ts";

const tensorKey = /^([0-9]{1,9})_([0-9]{1,5})$/;

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
    const stated = {
      ...options,
      ...(options.experts === undefined && meta.experts !== undefined ? { experts: meta.experts } : {}),
    };
    return kind === "tokens"
      ? tokensOf(chosen, stated, files, warnings)
      : countsOf(chosen, stated, meta, files, warnings);
  },
};

interface Meta {
  readonly experts?: number;
  readonly topK?: number;
}

async function readMeta(path: string | undefined): Promise<Meta> {
  if (path === undefined) return {};
  let text = "";
  for await (const { lines } of textLines(path, { bytesMax: 1 << 20 })) text += `${lines.join("\n")}\n`;
  const value = parseJson(text, path);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuse({ file: path, expected: "an object with num_experts", found: value });
  const whole = (key: string): number | undefined => {
    const found = (value as { readonly [key: string]: Json | undefined })[key];
    if (found === undefined) return undefined;
    if (typeof found !== "number" || !Number.isInteger(found) || found < 1 || found > 65_536)
      refuse({ file: path, at: key, expected: "a whole number from 1 to 65536", found });
    return found;
  };
  const experts = whole("num_experts");
  const topK = whole("num_experts_per_token");
  return { ...(experts === undefined ? {} : { experts }), ...(topK === undefined ? {} : { topK }) };
}

/** The tensors of one rank file by iteration and layer. */
interface Rank {
  readonly file: string;
  /** 1 for counts, 2 for ids. */
  readonly dims: number;
  readonly iterations: readonly number[];
  readonly layers: readonly number[];
  tensor(iteration: number, layer: number): FileArray;
}

async function openRank(file: string): Promise<Rank> {
  const tensors = new Map<string, FileArray>();
  const iterations = new Set<number>();
  const layers = new Set<number>();
  const problems: Problem[] = [];
  let dims = 0;
  for (const array of await openArrays(file)) {
    const [, iteration, layer] = tensorKey.exec(array.name) ?? [];
    if (iteration === undefined || layer === undefined) {
      problems.push({ file, at: array.name, expected: "tensors named <iteration>_<layer>" });
      continue;
    }
    dims ||= array.shape.length;
    if (array.shape.length !== dims || dims < 1 || dims > 2)
      problems.push({
        file,
        at: array.name,
        expected: "counts [experts] or ids [tokens, k] throughout",
        found: array.shape,
      });
    tensors.set(`${Number(iteration)}_${Number(layer)}`, array);
    iterations.add(Number(iteration));
    layers.add(Number(layer));
  }
  for (const iteration of iterations)
    for (const layer of layers)
      if (!tensors.has(`${iteration}_${layer}`) && problems.length < 20)
        problems.push({ file, at: `${iteration}_${layer}`, expected: "a tensor for every iteration and layer" });
  if (problems.length > 0) throw new InvalidInputError(problems);
  const ascending = (a: number, b: number) => a - b;
  return {
    file,
    dims,
    iterations: [...iterations].sort(ascending),
    layers: [...layers].sort(ascending),
    tensor: (iteration, layer) =>
      tensors.get(`${iteration}_${layer}`) ?? refuse({ file, expected: `a tensor ${iteration}_${layer}` }),
  };
}

/** Leaves out ranks whose tensors are those of an earlier one. */
async function withoutTwins(ranks: readonly Rank[], warnings: string[]): Promise<Rank[]> {
  const seen = new Set<string>();
  const kept: Rank[] = [];
  for (const rank of ranks) {
    const hash = createHash("sha256");
    for (const iteration of rank.iterations)
      for (const layer of rank.layers)
        for await (const piece of rank.tensor(iteration, layer).data()) hash.update(piece);
    const digest = hash.digest("hex");
    if (seen.has(digest)) warnings.push(`${rank.file} repeats the routing of an earlier rank and was not read again`);
    else kept.push(rank);
    seen.add(digest);
  }
  const first = kept[0];
  for (const rank of kept)
    if (first !== undefined && rank.layers.join() !== first.layers.join())
      refuse({
        file: rank.file,
        expected: `layers ${first.layers.join(", ")}, as the first rank has`,
        found: rank.layers,
      });
  return kept;
}

function tokensOf(
  ranks: readonly Rank[],
  options: ImportOptions,
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
        blocks: () => joinLayers(tensorsOf(iteration), topK),
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
      topK,
      hasWeights: false,
      columns: ["sequence", "position", "phase", "step", "slot", "domain"],
      domains: [options.domains?.[0] ?? "unlabelled"],
      modelLayers: options.modelLayers ?? layers,
      model: "unknown",
      provenance: importedProvenance(
        "TensorRT-LLM expert statistics",
        `${groupingRules[grouping]}; ranks one after another`,
        options,
        files,
      ),
      warnings,
      dropWarmUp: true,
    },
    options,
  );
}

const tokensPerBlock = 2_048;

/** Tensors [tokens, k], one per layer, as rows of all layers. */
async function* joinLayers(tensors: readonly FileArray[], topK: number): AsyncGenerator<RowBlock> {
  const streams = tensors.map((tensor) => integerBlocks(tensor, topK, tokensPerBlock));
  try {
    for (;;) {
      const blocks = await Promise.all(streams.map((stream) => stream.next()));
      const first = blocks[0];
      if (first === undefined || first.done === true) return;
      const rows = first.value.length / topK;
      const ids = new Int32Array(rows * tensors.length * topK);
      for (const [layer, block] of blocks.entries()) {
        if (block.done === true) continue;
        for (let row = 0; row < rows; row++)
          ids.set(block.value.subarray(row * topK, (row + 1) * topK), (row * tensors.length + layer) * topK);
      }
      yield { rows, ids, weights: null };
    }
  } finally {
    for (const stream of streams) await stream.return(undefined);
  }
}

function countsOf(
  ranks: readonly Rank[],
  options: ImportOptions,
  meta: Meta,
  files: NonNullable<TraceProvenance["files"]>,
  warnings: readonly string[],
): ImportedTrace {
  const layers = ranks[0]?.layers ?? [];
  const iterations = [...new Set(ranks.flatMap((rank) => rank.iterations))].sort((a, b) => a - b);
  const experts = options.experts ?? ranks[0]?.tensor(ranks[0].iterations[0] ?? 0, layers[0] ?? 0).shape[0] ?? 0;
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
      file: ranks[0]?.file ?? "",
      steps: iterations.length,
      modelLayers: options.modelLayers ?? layers,
      experts,
      topK: meta.topK ?? null,
      model: "unknown",
      domains: [options.domains?.[0] ?? "unlabelled"],
      provenance: importedProvenance(
        "TensorRT-LLM expert statistics",
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
