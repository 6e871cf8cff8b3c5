import { closest } from "../core/suggest.ts";
import { families } from "./families.ts";
import { layersNamed, rangesForm } from "./layer-ranges.ts";
import { normParameters } from "./norms.ts";
import { parametersOf } from "./parameters.ts";
import {
  type AttentionShape,
  cacheFormat,
  type FeedForwardShape,
  type GqaShape,
  listOf,
  type MlaShape,
  type ModelShape,
  type MoeShape,
  normFormat,
} from "./shape.ts";
import {
  type Attention,
  type FeedForward,
  type LayerSpec,
  type MlaAttention,
  type ModelSpec,
  type Provenance,
  type Router,
  tensorClasses,
} from "./spec.ts";
import { chained } from "./visits.ts";

/** What is wrong in a shape, at the path of the value to mend. */
export interface ShapeProblem {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found?: number | string | undefined;
}

interface ShapeResolution {
  readonly spec: ModelSpec;
  readonly problems: readonly ShapeProblem[];
}

type Note = (path: ShapeProblem["path"], expected: string, found?: ShapeProblem["found"]) => void;

/** The spec that a shape describes, with all that its values contradict one another in: then the spec means nothing. */
export function resolveShape(shape: ModelShape): ShapeResolution {
  const problems: ShapeProblem[] = [];
  const note: Note = (path, expected, found) => problems.push({ path, expected, found });
  checkType(shape.modelType, note);
  const mixers = spread("attention", listOf(shape.attention), shape.layers, note);
  const networks = spread("feedForward", listOf(shape.feedForward), shape.layers, note);
  const attentions = mixers.parts.map(({ part, path }) =>
    attentionOf(part, shape, (at, ...what) => note([...path, ...at], ...what)),
  );
  const feedForwards = networks.parts.map(({ part, path }) =>
    feedForwardOf(part, shape.hiddenSize, (at, ...what) => note([...path, ...at], ...what)),
  );
  const layers = mixers.byLayer.flatMap((mixer, layer): LayerSpec[] => {
    const network = networks.byLayer[layer] ?? 0;
    const attention = attentions[mixer] ?? { kind: "none" };
    const feedForward = feedForwards[network] ?? { kind: "none" };
    const sublayers = Number(attention.kind !== "none") + Number(feedForward.kind !== "none");
    if (layer === 0 && attention.kind === "gqa" && attention.sharedCache === true)
      note(["attention"], "a layer with a cache before one that reads it");
    if (sublayers === 0) note(["feedForward"], `attention or a feed-forward network in layer ${layer}`);
    const norms = { perLayer: shape.normVectors, bias: shape.normBias };
    const own: LayerSpec = {
      attention,
      feedForward,
      // The final norm's bias, where norms have one, is counted with the last layer.
      normParameters:
        normParameters(norms, shape.hiddenSize, sublayers, shape.residualStreams) +
        (norms.bias && layer === shape.layers - 1 ? shape.hiddenSize : 0),
      // A layer that reads an earlier one's cache stays with it.
      ...(attention.kind === "gqa" && attention.sharedCache === true ? { joined: true } : {}),
    };
    const part = networks.parts[network]?.part;
    return part?.kind === "moe" ? chained(own, part.visits, part.visitRouters) : [own];
  });
  const spec: ModelSpec = {
    id: shape.name,
    name: shape.name,
    modelType: shape.modelType ?? shape.name,
    hiddenSize: shape.hiddenSize,
    vocabSize: shape.vocabSize,
    tiedEmbeddings: shape.tiedEmbeddings,
    ...(shape.headBias ? { headBias: true } : {}),
    contextTokensMax: shape.contextTokensMax,
    layers,
    mtpLayers: shape.mtpLayers,
    formats: Object.fromEntries(
      tensorClasses.map((name) => [
        name,
        shape.formats[name] ?? (name === "norm" ? normFormat(shape.baseFormat) : shape.baseFormat),
      ]),
    ) as ModelSpec["formats"],
    ...(shape.weightBits === undefined ? {} : { weightBits: shape.weightBits }),
    kvFormat: shape.kvFormat ?? cacheFormat(shape.baseFormat),
    provenance: statedValues(shape),
  };
  if (problems.length === 0 && !Number.isSafeInteger(parametersOf(spec).total))
    note([], "whole numbers of parameters, fewer than 2^53", parametersOf(spec).total);
  return { spec, problems };
}

function checkType(modelType: string | undefined, note: Note): void {
  if (modelType === undefined || Object.hasOwn(families, modelType)) return;
  const near = closest(modelType, Object.keys(families));
  note(["modelType"], `a known model type${near === null ? "" : ` (did you mean ${near}?)`}, or none`, modelType);
}

interface Spread<T> {
  readonly parts: readonly { readonly part: T; readonly path: readonly (string | number)[] }[];
  /** [layer] which of the parts it has. */
  readonly byLayer: readonly number[];
}

/** Which part each layer has: those that name their layers, and the one that has the rest. */
function spread<T extends AttentionShape | FeedForwardShape>(
  key: "attention" | "feedForward",
  parts: readonly T[],
  layers: number,
  note: Note,
): Spread<T> {
  const single = parts.length === 1;
  const placed = parts.map((part, i) => ({ part, path: single ? [key] : [key, i] }));
  const byLayer = Array.from({ length: layers }, () => -1);
  for (const [i, { part, path }] of placed.entries()) {
    if (part.layers === undefined) continue;
    const named = layersNamed(String(part.layers), layers);
    if (named === null) {
      note([...path, "layers"], `${rangesForm}; the model has ${layers}`, part.layers);
      return { parts: placed, byLayer: byLayer.fill(0) };
    }
    const taken = named.find((layer) => byLayer[layer] !== -1);
    if (taken !== undefined) note([...path, "layers"], `each layer once; another part has layer ${taken}`, part.layers);
    for (const layer of named) byLayer[layer] = i;
  }
  const rest = placed.flatMap(({ part }, i) => (part.layers === undefined ? [i] : []));
  const left = byLayer.indexOf(-1);
  if (rest.length > 1)
    note(placed[rest[1]!]!.path, "its layers: one part at most may leave them out, and has the rest");
  else if (rest.length === 1 && left === -1) note(placed[rest[0]!]!.path, "layers that the other parts leave to it");
  else if (rest.length === 0 && left !== -1) note([key], `a part for layer ${left}`);
  return { parts: placed, byLayer: byLayer.map((part) => (part === -1 ? (rest[0] ?? 0) : part)) };
}

function attentionOf(part: AttentionShape, shape: ModelShape, note: Note): Attention {
  switch (part.kind) {
    case "gqa":
      return groupedAttention(part, shape, note);
    case "mla":
      return latentAttention(part, note);
    case "linear": {
      const { layers: _, ...attention } = part;
      return stated({ ...attention, scan: { ...attention.scan } }) as Attention;
    }
    case "none":
      return { kind: "none" };
  }
}

function groupedAttention(part: GqaShape, { hiddenSize, contextTokensMax }: ModelShape, note: Note): Attention {
  const { layers: _, bias, sinks, queryKeyNorm, smallParameters, windowTokens, valueHeadDim: given, ...plain } = part;
  const { queryHeads } = part;
  const kvHeads = part.kvHeads ?? queryHeads;
  const headDim = part.headDim ?? hiddenSize / queryHeads;
  const valueHeadDim = given ?? headDim;
  if (queryHeads % kvHeads !== 0) note(["kvHeads"], `a divisor of the ${queryHeads} query heads`, kvHeads);
  if (!Number.isInteger(headDim))
    note(["headDim"], `a whole number, as hiddenSize ${hiddenSize} is no multiple of ${queryHeads} heads`);
  if (part.chunked === true && windowTokens === undefined) note(["windowTokens"], "the tokens of a chunk");
  const queries = queryHeads * headDim;
  const keysAndValues = kvHeads * (headDim + valueHeadDim);
  const biases = bias === "none" ? 0 : queries + keysAndValues + (bias === "all" ? hiddenSize : 0);
  const norms = queryKeyNorm === "head" ? 2 * headDim : queryKeyNorm === "whole" ? (queryHeads + kvHeads) * headDim : 0;
  return {
    ...(stated(plain) as typeof plain),
    kvHeads,
    headDim,
    ...(valueHeadDim === headDim ? {} : { valueHeadDim }),
    // A window that covers every context of the model is none.
    windowTokens: windowTokens === undefined || windowTokens >= contextTokensMax ? null : windowTokens,
    outputGate: part.outputGate,
    ...(queryKeyNorm === "none" ? {} : { queryKeyNorm: queryKeyNorm === "whole" ? "whole" : "head" }),
    smallParameters: smallParameters ?? biases + norms + (sinks ? queryHeads : 0) + (part.queryRank ?? 0),
  } as Attention;
}

function latentAttention(part: MlaShape, note: Note): Attention {
  const { layers: _, queryLoraRank = null, indexer = null, smallParameters, ...plain } = part;
  if (part.indexerShared === true && indexer === null) note(["indexerShared"], "an indexer that is shared");
  const keyNorm = indexer === null || part.indexerShared === true ? 0 : 2 * indexer.headDim;
  return {
    ...(stated(plain) as typeof plain),
    queryLoraRank,
    indexer,
    smallParameters: smallParameters ?? (queryLoraRank ?? 0) + part.kvLoraRank + keyNorm,
  } as MlaAttention;
}

function feedForwardOf(part: FeedForwardShape, hiddenSize: number, note: Note): FeedForward {
  switch (part.kind) {
    case "dense":
      return { kind: "dense", width: part.width, matrices: part.matrices };
    case "moe":
      return mixture(part, hiddenSize, note);
    case "none":
      return { kind: "none" };
  }
}

function mixture(part: MoeShape, hiddenSize: number, note: Note): FeedForward {
  const { layers: _, sharedExperts, expertBias, visits: _visits, visitRouters: _routers, ...plain } = part;
  const { experts, topK, expertWidth, matrices, sharedWidth } = part;
  const expertHidden = part.expertHidden ?? hiddenSize;
  const routable = experts + (part.zeroExperts ?? 0);
  if (topK > routable) note(["topK"], `at most the ${routable} experts`, topK);
  if (part.zeroExperts !== undefined && part.router.groups !== undefined)
    note(["zeroExperts"], "none beside groups of experts", part.zeroExperts);
  if (expertHidden > hiddenSize) note(["expertHidden"], `at most hiddenSize ${hiddenSize}`, expertHidden);
  if (sharedExperts !== undefined && sharedWidth !== undefined)
    note(
      ["sharedExperts"],
      "either sharedExperts, each as wide as a routed one, or the sharedWidth of all",
      sharedExperts,
    );
  return {
    ...(stated(plain) as typeof plain),
    expertHidden,
    sharedWidth: sharedWidth ?? (sharedExperts ?? 0) * expertWidth,
    sharedGate: part.sharedGate,
    // Gate and up projections are biased at the expert's width, the down projection at its hidden size.
    expertBiasParameters: expertBias ? (matrices - 1) * expertWidth + expertHidden : 0,
    router: { ...part.router, groups: groupsOf(part, note) },
  } as FeedForward;
}

function groupsOf({ experts, topK, router }: MoeShape, note: Note): Router["groups"] {
  if (router.groups === undefined) return null;
  const { count, kept, topKPerGroup } = router.groups;
  const path = ["router", "groups"];
  if (experts % count !== 0) note([...path, "count"], `a divisor of the ${experts} experts`, count);
  if (kept > count) note([...path, "kept"], `at most the ${count} groups`, kept);
  else if ((experts / count) * kept < topK)
    note([...path, "kept"], `groups that hold at least the ${topK} experts chosen`, kept);
  if (topKPerGroup === undefined) return { count, kept };
  if (topKPerGroup * kept !== topK) note([...path, "topKPerGroup"], `topK / kept = ${topK} / ${kept}`, topKPerGroup);
  return { count, kept, topKPerGroup };
}

/** The values that hold something: an optional one that is off or absent is left out, as specs do. */
function stated(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== false));
}

/** Every plain value of the shape under its path. */
function statedValues(shape: ModelShape): Readonly<Record<string, Provenance>> {
  const rows: Record<string, Provenance> = {};
  const walk = (value: unknown, path: string): void => {
    if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value))
        walk(item, Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
    else if (typeof value === "number" || typeof value === "string" || typeof value === "boolean")
      rows[path] = { key: "described by hand", value };
  };
  walk(shape, "");
  return rows;
}
