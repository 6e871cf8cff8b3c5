import { refuse } from "../../core/errors.ts";
import { type FileArray, floatBlocks, integerBlocks, openArrays, smallIntegers } from "../container/arrays.ts";
import { phases } from "../container/trace-tensors.ts";
import { domainsOfFiles, type FileSample, type TraceImporter } from "./importer.ts";
import { interleavingWarning } from "./interleaving.ts";
import { importedProvenance } from "./provenance.ts";
import { importRows, type RowBlock, type RowPart } from "./row-parts.ts";

const idsPerBlock = 1 << 18;

/**
 * Routing returned per request by vLLM and SGLang (`routed_experts`), saved with NumPy: each array [tokens, layers, k]
 * is one sequence; [sequences, tokens, layers, k] is several. `prompt_routed_experts` and `routed_experts` with a
 * common prefix are the prefill and decode part of one sequence. Optional beside them: `weights` of the same shape,
 * `layers`, `positions`.
 */
export const routedExperts: TraceImporter = {
  description: "vLLM / SGLang returned routed experts (.npy, .npz): [tokens, layers, k] per request",

  detects(sample: FileSample): boolean {
    return sample.arrays?.some(({ name, shape }) => isIds(name) && (shape.length === 3 || shape.length === 4)) ?? false;
  },

  async import(paths, options, files) {
    const domains = domainsOfFiles(paths, options);
    const groups: RequestArrays[] = [];
    for (const [domain, path] of paths.entries())
      for (const group of await requestsOf(path, domain)) groups.push(group);
    const shape = groups[0]?.ids.shape ?? [];
    const [layers = 0, topK = 0] = shape.slice(-2);
    for (const { ids } of groups)
      if (ids.shape.slice(-2).join() !== shape.slice(-2).join())
        refuse({
          file: ids.file,
          at: ids.name,
          expected: `${layers} layers of ${topK} experts, as the first array has`,
          found: ids.shape.slice(-2),
        });
    const first = groups[0];
    const listed = first?.layers === null || first === undefined ? undefined : await smallIntegers(first.layers, 4096);
    const warnings: string[] = [];
    const streams = options.interleaved ?? 1;
    if (streams === 1 && first !== undefined && groups.length === 1)
      warnings.push(...(await interleavingWarning(first.ids, layers, topK)));
    const hasWeights = groups.every(({ weights }) => weights !== null);
    if (!hasWeights && groups.some(({ weights }) => weights !== null))
      warnings.push("only some arrays have weights: no weights are imported");
    const parts = await partsOf(groups, streams);
    return importRows(
      {
        parts,
        layers,
        topK,
        hasWeights,
        columns: ["sequence", "position", "phase", "domain"],
        domains,
        modelLayers: options.modelLayers ?? listed ?? Array.from({ length: layers }, (_value, layer) => layer),
        model: "unknown",
        provenance: importedProvenance(
          "returned routed experts",
          streams > 1
            ? `row i of an array is token floor(i / ${streams}) of stream i mod ${streams}; each stream is one sequence`
            : "each array (each leading index of a four-dimensional one) is one sequence",
          options,
          files,
          listed === undefined && options.modelLayers === undefined ? ["model layer numbers are not stated"] : [],
        ),
        warnings,
        dropWarmUp: true,
      },
      options,
    );
  },
};

const promptKey = "prompt_routed_experts";

/** Names that are no ids: what may stand beside them, and the tensors of trace containers. */
const besideIds = new Set(["weights", "scores", "layers", "positions", "counts"]);

function isIds(name: string): boolean {
  return !besideIds.has(name);
}

/** The arrays of one request (or of several, when the ids have four dimensions). */
interface RequestArrays {
  readonly ids: FileArray;
  readonly weights: FileArray | null;
  readonly layers: FileArray | null;
  readonly positions: FileArray | null;
  readonly domain: number;
  readonly phase: number;
  /** Tokens of the same sequence in arrays before this one; null for a sequence of its own. */
  readonly continues: FileArray | null;
}

async function requestsOf(path: string, domain: number): Promise<RequestArrays[]> {
  const arrays = await openArrays(path);
  const named = new Map(arrays.map((array) => [array.name, array]));
  const idArrays = arrays.filter(({ name }) => isIds(name));
  if (idArrays.length === 0) refuse({ file: path, expected: "an array of expert ids" });
  for (const ids of idArrays)
    if (ids.shape.length !== 3 && ids.shape.length !== 4)
      refuse({
        file: path,
        at: ids.name,
        expected: "[tokens, layers, k] or [sequences, tokens, layers, k]",
        found: ids.shape,
      });
  const weights = named.get("weights") ?? null;
  if (weights !== null && (idArrays.length !== 1 || weights.shape.join() !== idArrays[0]?.shape.join()))
    refuse({ file: path, at: "weights", expected: "one array of ids with the same shape", found: weights.shape });
  return idArrays.map((ids) => {
    const prefix = ids.name.endsWith("routed_experts") ? ids.name.slice(0, -"routed_experts".length) : null;
    const prompt = prefix === null || prefix.endsWith("prompt_") ? undefined : named.get(prefix + promptKey);
    return {
      ids,
      weights,
      layers: named.get("layers") ?? null,
      positions: named.get("positions") ?? null,
      domain,
      phase: ids.name.endsWith(promptKey) ? phases.prefill : prompt === undefined ? phases.unknown : phases.decode,
      continues: prompt ?? null,
    };
  });
}

async function partsOf(groups: readonly RequestArrays[], streams: number): Promise<RowPart[]> {
  const firstSequence = new Map<FileArray, number>();
  let sequences = 0;
  const parts: RowPart[] = [];
  for (const group of promptsFirst(groups)) {
    const { ids, weights, positions, continues } = group;
    const [layers = 0, topK = 0] = ids.shape.slice(-2);
    const perSequence = ids.shape.length === 4 ? (ids.shape[1] ?? 1) : Number.POSITIVE_INFINITY;
    if (perSequence !== Number.POSITIVE_INFINITY && streams > 1)
      refuse({
        file: ids.file,
        at: ids.name,
        expected: "[tokens, layers, k] with interleaved streams",
        found: ids.shape,
      });
    const listed = positions === null ? null : await smallIntegers(positions, 1 << 20);
    if (listed !== null && (listed.length !== ids.shape.at(-3) || listed.some((position) => position < 0)))
      refuse({
        file: ids.file,
        at: "positions",
        expected: `${ids.shape.at(-3)} positions from 0 on`,
        found: positions?.shape,
      });
    const first = continues === null ? sequences : (firstSequence.get(continues) ?? sequences);
    const offset = continues === null ? 0 : (continues.shape[0] ?? 0);
    firstSequence.set(ids, first);
    if (continues === null) sequences += ids.shape.length === 4 ? (ids.shape[0] ?? 0) : streams;
    parts.push({
      file: ids.file,
      at: ids.name,
      domain: group.domain,
      blocks: () => blocksOf(ids, weights, layers * topK),
      place(row) {
        const sequence = perSequence === Number.POSITIVE_INFINITY ? row % streams : Math.floor(row / perSequence);
        const token = perSequence === Number.POSITIVE_INFINITY ? Math.floor(row / streams) : row % perSequence;
        return { sequence: first + sequence, position: listed?.[token] ?? offset + token, phase: group.phase };
      },
    });
  }
  return parts;
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
