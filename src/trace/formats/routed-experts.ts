import { InvalidInputError, type Problem, refuse } from "../../core/errors.ts";
import { type FileArray, floatBlocks, integerBlocks } from "../container/arrays.ts";
import type { TraceColumn } from "../container/trace-tensors.ts";
import { domainsOfFiles, type FileSample, fileName, type TraceImporter } from "./importer.ts";
import { interleavingWarning } from "./interleaving.ts";
import { layerInName } from "./join-layers.ts";
import { layerNumbers } from "./kept-layers.ts";
import { refuseTurned } from "./orientation.ts";
import { importedProvenance } from "./provenance.ts";
import { phaseOf, type RequestArrays, requestsOf } from "./request-arrays.ts";
import { agreed, importRows } from "./row-parts.ts";
import type { RowBlock, RowPart } from "./row-source.ts";

const idsPerBlock = 1 << 18;

/**
 * Routing returned per request by vLLM and SGLang (`routed_experts`), saved with NumPy: each array [tokens, layers, k]
 * is one sequence; [sequences, tokens, layers, k] is several. `prompt_routed_experts` and `routed_experts` with a
 * common prefix are the prefill and decode part of one sequence. Beside them: weights of the same shape, layers,
 * positions, the sequence of each row, tokens of prompt and output, numbers of experts. What else a file has is named.
 */
export const routedExperts: TraceImporter = {
  description: "vLLM / SGLang returned routed experts (.npy, .npz, .safetensors): [tokens, layers, k] per request",
  filesAlone: true,
  reads: "tokens",

  detects({ arrays }: FileSample): boolean {
    return arrays?.some(({ content }) => content === "ids") ?? false;
  },

  async import(paths, options, files) {
    const domains = domainsOfFiles(paths, options);
    const groups: RequestArrays[] = [];
    const unused = new Map<string, string[]>();
    const problems: Problem[] = [];
    for (const [domain, path] of paths.entries()) {
      const file = await requestsOf(path, domain, options).catch((error: unknown) => {
        if (!(error instanceof InvalidInputError)) throw error;
        problems.push(...error.problems);
        return { requests: [], unused: [] };
      });
      for (const name of file.unused) unused.set(name, [...(unused.get(name) ?? []), fileName(path)]);
      groups.push(...file.requests);
    }
    const [layers = 0, width = 0] = commonShape(groups);
    for (const { ids, shape } of groups)
      if (shape.slice(-2).join() !== `${layers},${width}`)
        problems.push({
          file: ids.file,
          at: ids.name,
          expected: `${layers} layers of ${width} experts, as most arrays have`,
          found: shape.slice(-2),
        });
    if (problems.length > 0) throw new InvalidInputError(problems);
    refuseLayerFiles(groups);
    const [first] = groups;
    if (first !== undefined) await refuseTurned(first.ids, first.shape, options);
    const listed = first?.layers;
    const warnings = notesOnUnused(unused, paths.length);
    const streams = options.interleaved ?? 1;
    if (streams === 1 && first !== undefined && groups.length === 1 && first.sequences === null)
      warnings.push(...(await interleavingWarning(first.ids, layers, width)));
    const hasWeights = groups.every(({ weights }) => weights !== null);
    if (!hasWeights && groups.some(({ weights }) => weights !== null))
      warnings.push("only some arrays have weights: no weights are imported");
    const numbered = listed !== undefined || options.modelLayers !== undefined || options.shape !== undefined;
    const hasTokens = groups.every(({ tokens }) => tokens !== null);
    if (!hasTokens && groups.some(({ tokens }) => tokens !== null))
      warnings.push("only some arrays come with the ids of their tokens: none are imported");
    const columns: TraceColumn[] = [
      "sequence",
      "position",
      "phase",
      "domain",
      ...(hasTokens ? (["token"] as const) : []),
    ];
    return importRows(
      {
        parts: partsOf(groups, streams),
        layers,
        width,
        hasWeights,
        columns,
        domains,
        modelLayers: layerNumbers(layers, options, listed),
        inputLayers: listed ?? Array.from({ length: layers }, (_value, layer) => layer),
        model: "unknown",
        stated: statedBy(groups),
        provenance: importedProvenance(
          "returned routed experts",
          groupingOf(groups, streams),
          options,
          files,
          numbered ? [] : ["model layer numbers are not stated: places in the input are taken for them"],
        ),
        warnings,
        dropWarmUp: true,
      },
      options,
    );
  },
};

/** Refuses files of one layer each: read as requests they would be so many texts of one layer. */
function refuseLayerFiles(groups: readonly RequestArrays[]): void {
  const layers = groups.map(({ ids }) => (ids.shape.length === 2 ? layerInName(fileName(ids.file)) : null));
  const [first] = groups;
  if (first !== undefined && groups.length > 1 && new Set(layers).size === groups.length && !layers.includes(null))
    refuse({
      file: first.ids.file,
      expected: "all layers of a token in one array",
      found: `${groups.length} files named by their layers`,
      hint: "save numpy.stack([...], axis=1), or numpy.savez with a key for each layer",
    });
}

function groupingOf(groups: readonly RequestArrays[], streams: number): string {
  if (groups.some(({ sequences, namesSequences }) => sequences !== null && !namesSequences))
    return "a sequence begins where the positions begin anew";
  if (groups.some(({ sequences }) => sequences !== null)) return "the recording names the sequence of each row";
  return streams > 1
    ? `row i of an array is token floor(i / ${streams}) of stream i mod ${streams}; each stream is one sequence`
    : "each array (each leading index of a four-dimensional one) is one sequence";
}

/** Layers and ids per row that most arrays have; the first of equals. */
function commonShape(groups: readonly RequestArrays[]): readonly number[] {
  const count = new Map<string, { shape: readonly number[]; arrays: number }>();
  for (const { shape } of groups) {
    const own = shape.slice(-2);
    const seen = count.get(own.join()) ?? { shape: own, arrays: 0 };
    seen.arrays += 1;
    count.set(own.join(), seen);
  }
  return [...count.values()].sort((a, b) => b.arrays - a.arrays)[0]?.shape ?? [];
}

/** Numbers of experts that files state; refuses files that contradict each other. */
function statedBy(groups: readonly RequestArrays[]): { experts?: number | undefined; topK?: number | undefined } {
  let stated: { experts?: number | undefined; topK?: number | undefined } = {};
  for (const { stated: own, ids } of groups)
    stated = {
      experts: agreed(own.experts, stated.experts, ids.file, "experts"),
      topK: agreed(own.topK, stated.topK, ids.file, "experts per token"),
    };
  return stated;
}

/** One note per name, however many files have it. */
function notesOnUnused(unused: ReadonlyMap<string, readonly string[]>, files: number): string[] {
  return [...unused].map(
    ([name, of]) =>
      `not used: ${name}${files === 1 ? "" : of.length === 1 ? ` of ${of[0]}` : ` of ${of.length} files`}`,
  );
}

function partsOf(groups: readonly RequestArrays[], streams: number): RowPart[] {
  const firstSequence = new Map<FileArray, number>();
  let sequences = 0;
  const parts: RowPart[] = [];
  for (const group of promptsFirst(groups)) {
    const { ids, shape, weights, positions, continues } = group;
    const [layers = 0, width = 0] = shape.slice(-2);
    const perSequence = shape.length === 4 ? (shape[1] ?? 1) : Number.POSITIVE_INFINITY;
    if ((perSequence !== Number.POSITIVE_INFINITY || group.sequences !== null) && streams > 1)
      refuse({
        file: ids.file,
        at: ids.name,
        expected: "rows [tokens, layers, k] that no array groups, with interleaved streams",
        found: shape,
      });
    const first = continues === null ? sequences : (firstSequence.get(continues) ?? sequences);
    const labels = group.sequences === null ? null : new RowsOfSequences(group.sequences);
    firstSequence.set(ids, first);
    if (continues === null) sequences += labels?.count ?? (shape.length === 4 ? (shape[0] ?? 0) : streams);
    parts.push({
      file: ids.file,
      at: ids.name,
      domain: group.domain,
      blocks: () => blocksOf(ids, weights, layers * width),
      place(row) {
        const several = perSequence !== Number.POSITIVE_INFINITY;
        const sequence = labels?.sequence(row) ?? (several ? Math.floor(row / perSequence) : row % streams);
        const token = labels?.token(row) ?? (several ? row % perSequence : Math.floor(row / streams));
        const listed = positions?.length === perSequence ? positions[token] : positions?.[row];
        return {
          sequence: first + sequence,
          position: listed ?? group.firstPosition + token,
          phase: phaseOf(group, row),
          ...(group.tokens === null ? {} : { token: group.tokens[row]! }),
        };
      },
    });
  }
  return parts;
}

/** Sequences that labels name, numbered by first appearance, and the place of each row in its own. */
class RowsOfSequences {
  readonly #numbers: Uint32Array;
  readonly #tokens: Uint32Array;
  readonly count: number;

  constructor(labels: Int32Array) {
    const numberOf = new Map<number, number>();
    const rows: number[] = [];
    this.#numbers = new Uint32Array(labels.length);
    this.#tokens = new Uint32Array(labels.length);
    for (const [row, label] of labels.entries()) {
      const number = numberOf.get(label) ?? numberOf.size;
      numberOf.set(label, number);
      this.#numbers[row] = number;
      this.#tokens[row] = rows[number] ?? 0;
      rows[number] = (rows[number] ?? 0) + 1;
    }
    this.count = numberOf.size;
  }

  sequence(row: number): number {
    return this.#numbers[row]!;
  }

  token(row: number): number {
    return this.#tokens[row]!;
  }
}

/** Each prompt array directly before the array that continues it, whatever their order in the file. */
function promptsFirst(groups: readonly RequestArrays[]): RequestArrays[] {
  const continuation = new Map(groups.flatMap((group) => (group.continues === null ? [] : [[group.continues, group]])));
  return groups
    .filter((group) => group.continues === null)
    .flatMap((group) => {
      const next = continuation.get(group.ids);
      return next === undefined ? [group] : [group, next];
    });
}

async function* blocksOf(ids: FileArray, weights: FileArray | null, rowValues: number): AsyncGenerator<RowBlock> {
  const rowsPerBlock = Math.max(1, Math.floor(idsPerBlock / Math.max(1, rowValues)));
  const weightBlocks = weights === null ? null : floatBlocks(weights, rowValues, rowsPerBlock);
  try {
    for await (const block of integerBlocks(ids, rowValues, rowsPerBlock)) {
      const weighed = await weightBlocks?.next();
      yield { rows: block.length / rowValues, ids: block, weights: weighed?.done === false ? weighed.value : null };
    }
  } finally {
    await weightBlocks?.return(undefined);
  }
}
