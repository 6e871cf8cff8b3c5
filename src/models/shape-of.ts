import { rangesOf } from "./layer-ranges.ts";
import { normParameters } from "./norms.ts";
import { resolveShape } from "./resolve-shape.ts";
import {
  type AttentionShape,
  biasForms,
  cacheFormat,
  type FeedForwardShape,
  type GqaShape,
  type MlaShape,
  type ModelShape,
  type MoeShape,
  normFormat,
  type OneOrMore,
  queryKeyNorms,
} from "./shape.ts";
import {
  type Attention,
  type FeedForward,
  type GqaAttention,
  type LayerSpec,
  type MlaAttention,
  type ModelSpec,
  type MoeFeedForward,
  tensorClasses,
} from "./spec.ts";

/** The shape that describes a model, as far as one does: {@link differences} says what is left. */
export function shapeOf(spec: ModelSpec): ModelShape {
  const layers = spec.layers.filter(({ revisit }) => revisit === undefined);
  const baseFormat = spec.formats.norm;
  const formats = tensorClasses.filter(
    (name) => spec.formats[name] !== (name === "norm" ? normFormat(baseFormat) : baseFormat),
  );
  return {
    name: `${spec.id} by hand`,
    modelType: spec.modelType,
    layers: layers.length,
    hiddenSize: spec.hiddenSize,
    vocabSize: spec.vocabSize,
    contextTokensMax: spec.contextTokensMax,
    tiedEmbeddings: spec.tiedEmbeddings,
    headBias: spec.headBias === true,
    mtpLayers: spec.mtpLayers,
    ...normsOf(spec, layers),
    attention: grouped(layers.map(({ attention }) => attentionShape(attention, spec.hiddenSize))),
    feedForward: grouped(layers.map((layer) => feedForwardShape(layer.feedForward, spec, layer))),
    baseFormat,
    formats: Object.fromEntries(formats.map((name) => [name, spec.formats[name]])),
    ...(spec.weightBits === undefined ? {} : { weightBits: spec.weightBits }),
    ...(spec.kvFormat === cacheFormat(baseFormat) ? {} : { kvFormat: spec.kvFormat }),
  };
}

/** Paths at which a shape's model differs from the spec that it was made of, but for names and provenance. */
export function differences(shape: ModelShape, spec: ModelSpec): readonly string[] {
  const { spec: made, problems } = resolveShape(shape);
  if (problems.length > 0) return problems.map(({ path, expected }) => `${path.join(".")}: ${expected}`);
  const found: string[] = [];
  const walk = (a: unknown, b: unknown, path: string): void => {
    if (a === b) return;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
      found.push(path);
      return;
    }
    const [left, right] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
      walk(left[key], right[key], path === "" ? key : `${path}.${key}`);
  };
  const bare = ({ id: _id, name: _name, provenance: _provenance, ...rest }: ModelSpec) => rest;
  walk(bare(made), bare(spec), "");
  return found;
}

/** Parts of layers that are alike, once each; the one whose layers take the longest to name has those that are left. */
function grouped<T extends AttentionShape | FeedForwardShape>(parts: readonly T[]): OneOrMore<T> {
  const groups = new Map<string, { readonly part: T; readonly layers: number[] }>();
  for (const [layer, part] of parts.entries()) {
    const key = JSON.stringify(part);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { part, layers: [layer] });
    else group.layers.push(layer);
  }
  const named = [...groups.values()].map(({ part, layers }) => ({ part, text: rangesOf(layers) }));
  if (named.length === 1) return named[0]!.part;
  const longest = named.reduce((best, entry) => (entry.text.length >= best.text.length ? entry : best));
  return named.map(({ part: { kind, ...rest }, ...entry }) =>
    entry.text === longest.text ? { kind, ...rest } : { kind, layers: entry.text, ...rest },
  ) as unknown as readonly T[];
}

function attentionShape(attention: Attention, hiddenSize: number): AttentionShape {
  switch (attention.kind) {
    case "gqa":
      return gqaShape(attention, hiddenSize);
    case "mla":
      return mlaShape(attention);
    default:
      return attention;
  }
}

/** Small parameters are said by what makes them up where that gives their number, else by the number. */
function gqaShape(attention: GqaAttention, hiddenSize: number): GqaShape {
  const { windowTokens, queryKeyNorm, smallParameters, ...plain } = attention;
  const { queryHeads, kvHeads, headDim, queryRank = 0 } = attention;
  const valueHeadDim = attention.valueHeadDim ?? headDim;
  const projected = queryHeads * headDim + kvHeads * (headDim + valueHeadDim);
  const biases = { none: 0, qkv: projected, all: projected + hiddenSize };
  const norms = { none: 0, weightless: 0, head: 2 * headDim, whole: (queryHeads + kvHeads) * headDim };
  const base = { ...plain, ...(windowTokens === null ? {} : { windowTokens }) };
  for (const norm of queryKeyNorms)
    for (const bias of biasForms)
      for (const sinks of [false, true]) {
        const seen = norm === "none" ? undefined : norm === "whole" ? "whole" : "head";
        if (
          seen === queryKeyNorm &&
          biases[bias] + norms[norm] + (sinks ? queryHeads : 0) + queryRank === smallParameters
        )
          return { ...base, queryKeyNorm: norm, bias, sinks };
      }
  return { ...base, queryKeyNorm: queryKeyNorm ?? "none", bias: "none", sinks: false, smallParameters };
}

function mlaShape(attention: MlaAttention): MlaShape {
  const { queryLoraRank, indexer, smallParameters, ...plain } = attention;
  const keyNorm = indexer === null || attention.indexerShared === true ? 0 : 2 * indexer.headDim;
  const derived = (queryLoraRank ?? 0) + attention.kvLoraRank + keyNorm;
  return {
    ...plain,
    ...(queryLoraRank === null ? {} : { queryLoraRank }),
    ...(indexer === null ? {} : { indexer }),
    ...(smallParameters === derived ? {} : { smallParameters }),
  };
}

function feedForwardShape(
  feedForward: FeedForward,
  { hiddenSize, layers }: ModelSpec,
  layer: LayerSpec,
): FeedForwardShape {
  if (feedForward.kind !== "moe") return feedForward;
  const { expertHidden, sharedWidth: _, expertBiasParameters, router, ...plain } = feedForward;
  const { groups, ...choice } = router;
  const again: LayerSpec[] = [];
  for (let i = layers.indexOf(layer) + 1; layers[i]?.revisit !== undefined; i += 1) again.push(layers[i]!);
  return {
    ...plain,
    ...(expertHidden === hiddenSize ? {} : { expertHidden }),
    ...sharedOf(feedForward),
    expertBias: expertBiasParameters > 0,
    router: { ...choice, ...(groups === null ? {} : { groups }) },
    visits: 1 + again.length,
    visitRouters: again[0]?.revisit?.router ?? "own",
  };
}

function sharedOf({ sharedWidth, expertWidth }: MoeFeedForward): Pick<MoeShape, "sharedExperts" | "sharedWidth"> {
  if (sharedWidth === 0) return { sharedWidth };
  return sharedWidth % expertWidth === 0 ? { sharedExperts: sharedWidth / expertWidth } : { sharedWidth };
}

/** The norms and residual streams that give the norm parameters of all layers, the plain ones first. */
function normsOf(
  { hiddenSize }: ModelSpec,
  layers: readonly LayerSpec[],
): Pick<ModelShape, "normVectors" | "normBias" | "residualStreams"> {
  const counts = layers.map(({ attention, feedForward, normParameters: own }) => {
    const sublayers = Number(attention.kind !== "none") + Number(feedForward.kind !== "none");
    return { sublayers, own: own ?? sublayers * hiddenSize };
  });
  for (let residualStreams = 1; residualStreams <= 8; residualStreams += 1)
    for (const normVectors of [2, 4, 3, 1, 5, 6, 7, 8, 0])
      for (const normBias of [false, true]) {
        const norms = { perLayer: normVectors, bias: normBias };
        const gives = counts.every(
          ({ sublayers, own }, layer) =>
            own ===
            normParameters(norms, hiddenSize, sublayers, residualStreams) +
              (normBias && layer === layers.length - 1 ? hiddenSize : 0),
        );
        if (gives) return { normVectors, normBias, residualStreams };
      }
  return { normVectors: 2, normBias: false, residualStreams: 1 };
}
