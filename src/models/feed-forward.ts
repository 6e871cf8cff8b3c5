import { aliases } from "./aliases.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Family } from "./families.ts";
import type { FeedForwardKind } from "./layer-pattern.ts";
import type { DenseFeedForward, FeedForward, MoeFeedForward, Router } from "./spec.ts";

const path = "layers[].feedForward";
const widthMax = 16777216;
/** Expert ids of traces are 16 bits wide. */
const expertsMax = 65536;

/** Keys of experts and routers beside their number and width. */
const expertKeys = [
  ...aliases.topK,
  ...aliases.sharedExperts,
  ...aliases.sharedWidth,
  ...aliases.groups,
  ...aliases.groupsKept,
  ...aliases.scoring,
  ...aliases.normalisesTopK,
  ...aliases.routerBias,
];

/** The feed-forward network of each layer. */
export function feedForwards(
  reader: ConfigReader,
  family: Family,
  hiddenSize: number,
  kinds: readonly FeedForwardKind[],
): readonly FeedForward[] {
  const moe = kinds.includes("moe") ? mixture(reader, family, hiddenSize, kinds.length) : null;
  const dense = kinds.includes("dense") ? denseNetwork(reader, family, kinds.length) : null;
  if (dense === null) reader.skip([family.denseWidthKey]);
  // A model whose experts are none, or in no layer, may still carry their keys.
  if (moe === null && reader.first(aliases.experts) !== null) reader.skip([family.expertWidthKey, ...expertKeys]);
  const hashed = reader.count(`${path}.router.hashLayers`, ["num_hash_layers"], {
    min: 0,
    max: kinds.length,
    fallback: { value: 0, rule: "no num_hash_layers" },
  });
  const named = reader.perLayer("mlp_layer_types", kinds.length);
  return kinds.map((kind, layerIndex): FeedForward => {
    if (kind === "dense") return dense ?? { kind: "none" };
    if (kind === "none" || moe === null) return { kind: "none" };
    if (layerIndex >= hashed && named?.[layerIndex] !== "hash_moe") return moe;
    return { ...moe, router: { ...moe.router, scoring: "hash", bias: false } };
  });
}

/** A count that may be listed by layer; all of the list are one, since layers with experts have one shape. */
function evenCount(
  reader: ConfigReader,
  at: string,
  keys: readonly string[],
  layerCount: number,
  options: Parameters<ConfigReader["count"]>[2],
): number {
  const found = reader.first(keys);
  if (found === null || !Array.isArray(found.value)) return reader.count(at, keys, options);
  const { min = 1, max = 2147483648 } = options ?? {};
  const listed = reader.perLayer(found.key, layerCount) ?? [];
  const [value] = listed;
  const isCount = typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
  const other = isCount ? listed.findIndex((one) => one !== value) : 0;
  if (listed.length > 0 && other >= 0) {
    const expected = isCount
      ? `${value}, as in the first layer: layers that differ are not supported`
      : "a whole number";
    reader.problem(`${found.key}[${other}]`, expected, listed[other]);
  }
  if (!isCount) return min;
  reader.record(at, found.key, value);
  return value;
}

function denseNetwork(reader: ConfigReader, family: Family, layerCount: number): DenseFeedForward {
  const at = "layers[dense].feedForward.width";
  return {
    kind: "dense",
    width: evenCount(reader, at, [family.denseWidthKey], layerCount, { max: widthMax }),
    matrices: family.matrices,
  };
}

function mixture(reader: ConfigReader, family: Family, hiddenSize: number, layerCount: number): MoeFeedForward {
  const experts = evenCount(reader, `${path}.experts`, aliases.experts, layerCount, { max: expertsMax });
  const topK = evenCount(reader, `${path}.topK`, aliases.topK, layerCount, { max: expertsMax });
  const zeroExperts = readZeroExperts(reader, family, experts);
  if (topK > experts + zeroExperts)
    reader.problem(aliases.topK[0], `at most the ${experts + zeroExperts} experts`, topK);
  const expertWidth = readExpertWidth(reader, family, experts, layerCount);
  const expertHidden = reader.count(`${path}.expertHidden`, aliases.latentWidth, {
    max: widthMax,
    fallback: { value: hiddenSize, rule: "hidden_size" },
  });
  if (expertHidden > hiddenSize)
    reader.problem(aliases.latentWidth[0], `at most hidden_size ${hiddenSize}`, expertHidden);
  return {
    kind: "moe",
    experts,
    topK,
    ...(zeroExperts === 0 ? {} : { zeroExperts }),
    expertWidth,
    matrices: family.matrices,
    expertHidden,
    sharedWidth: readSharedWidth(reader, family, expertWidth, layerCount),
    sharedGate: family.sharedGate,
    // Gate and up projections are biased at the expert's width, the down projection at its hidden size.
    expertBiasParameters: family.expertBias ? (family.matrices - 1) * expertWidth + expertHidden : 0,
    denseWidth: readDenseWidth(reader, family, hiddenSize),
    router: readRouter(reader, family, experts, topK),
  };
}

/** Experts beside the others that return their input (LongCat-Flash). */
function readZeroExperts(reader: ConfigReader, family: Family, experts: number): number {
  if (!family.zeroExperts) return 0;
  const kind = reader.text(["zero_expert_type"]);
  if (reader.raw("zero_expert_num") === undefined) return 0;
  const count = reader.count(`${path}.zeroExperts`, ["zero_expert_num"], { min: 0, max: expertsMax - experts });
  if (count === 0) return 0;
  if (kind !== "identity")
    reader.problem("zero_expert_type", "identity: experts that return their input", kind ?? undefined);
  reader.assume(
    "experts that return their input take no time, and are chosen as often as the others where no routing is replayed",
  );
  return count;
}

/** Width of one expert, from the key of the family or, for experts split from a dense network, their listed sizes. */
function readExpertWidth(reader: ConfigReader, family: Family, experts: number, layerCount: number): number {
  const sizes = reader.raw("size_experts");
  if (!Array.isArray(sizes)) {
    // Hunyuan names a width of experts only where it is not that of the dense layers.
    const own = reader.raw(family.expertWidthKey) !== undefined || !family.expertsLikeDense;
    const keys = own ? [family.expertWidthKey, "expert_hidden_dim"] : [family.denseWidthKey];
    return evenCount(reader, `${path}.expertWidth`, keys, layerCount, { max: widthMax });
  }
  const flat = sizes.flat();
  const width = flat[0];
  if (typeof width !== "number" || flat.some((size) => size !== width) || flat.length !== sizes.length * experts) {
    reader.problem("size_experts", `one equal width for each of ${experts} experts in every layer`, sizes[0] ?? null);
    return 1;
  }
  reader.raw(family.expertWidthKey);
  reader.record(`${path}.expertWidth`, "size_experts", width);
  return width;
}

function readSharedWidth(reader: ConfigReader, family: Family, expertWidth: number, layerCount: number): number {
  const none = { min: 0, max: widthMax };
  const counted = reader.first(aliases.sharedExperts) !== null;
  // How a shared expert is gated (MiniMax-Text-01).
  if (family.sharedGate) reader.raw("shared_moe_mode");
  const count = evenCount(reader, `${path}.sharedExperts`, aliases.sharedExperts, layerCount, {
    ...none,
    fallback: family.implicitShared
      ? { value: 1, rule: "one, implied by the model class" }
      : { value: 0, rule: "no key for shared experts" },
  });
  const width = reader.count(`${path}.sharedWidth`, aliases.sharedWidth, {
    ...none,
    fallback: { value: expertWidth, rule: `${family.expertWidthKey} per shared expert` },
  });
  const mixed = reader.raw("use_mixed_mlp_moe");
  if (mixed !== undefined && typeof mixed !== "boolean") reader.problem("use_mixed_mlp_moe", "true or false", mixed);
  if (mixed === false) {
    reader.record(`${path}.sharedExperts`, "use_mixed_mlp_moe", 0);
    return 0;
  }
  if (counted || reader.first(aliases.sharedWidth) === null) return count * width;
  reader.record(`${path}.sharedExperts`, "one, as a shared width is given", 1);
  return width;
}

function readDenseWidth(reader: ConfigReader, family: Family, hiddenSize: number): number {
  if (family.pairedLayers) return reader.count(`${path}.denseWidth`, [family.denseWidthKey], { max: widthMax });
  if (family.denseBeside === null || reader.raw(family.denseBeside.key) !== true) return 0;
  if (family.denseBeside.width === "hidden_size") {
    reader.record(`${path}.denseWidth`, "hidden_size (model class)", hiddenSize);
    return hiddenSize;
  }
  return reader.count(`${path}.denseWidth`, [family.denseBeside.width], { max: widthMax });
}

const scorings: Readonly<Record<string, Router["scoring"]>> = {
  softmax: "softmax",
  sigmoid: "sigmoid",
  sqrtsoftplus: "sqrtsoftplus",
};

function readRouter(reader: ConfigReader, family: Family, experts: number, topK: number): Router {
  const key = reader.first(aliases.scoring)?.key ?? aliases.scoring[0];
  const written = reader.text(aliases.scoring);
  // dots1 writes the value of topk_method here, and its class scores by sigmoid whatever stands there.
  const misplaced = written !== null && selections.has(written);
  const named = misplaced ? null : written;
  if (misplaced) reader.assume(`${family.scoring} scores of the router, as ${key} holds a selection method`);
  if (named !== null && !Object.hasOwn(scorings, named))
    reader.problem(key, `one of ${Object.keys(scorings).join(", ")}`, named);
  const scoring = (named === null ? switchedScoring(reader) : scorings[named]) ?? family.scoring;
  reader.record(`${path}.router.scoring`, named === null ? "model class" : key, scoring);

  const method = reader.text(["topk_method"]) ?? (misplaced ? written : null);
  const bias = reader.flag(`${path}.router.bias`, aliases.routerBias, {
    value: method === null ? family.routerBias : method === "noaux_tc",
    rule: method === null ? "model class" : "topk_method",
  });
  const normalisesTopK = reader.flag(`${path}.router.normalisesTopK`, aliases.normalisesTopK, {
    value: family.normalisesTopK,
    rule: "model class",
  });
  return { scoring, normalisesTopK, groups: readGroups(reader, family, experts, topK), bias };
}

/** Scores by a switch: SmallThinker has one for softmax, Hy3 one for sigmoid. */
function switchedScoring(reader: ConfigReader): Router["scoring"] | undefined {
  if (reader.raw("moe_primary_router_apply_softmax") === true) return "softmax";
  return reader.raw("moe_router_use_sigmoid") === true ? "sigmoid" : undefined;
}

/** Values of `topk_method`. */
const selections: ReadonlySet<string> = new Set(["greedy", "group_limited_greedy", "noaux_tc"]);

/** Group-limited selection, or null where all experts form one group. */
function readGroups(reader: ConfigReader, family: Family, experts: number, topK: number): Router["groups"] {
  reader.raw("use_grouped_topk");
  if (reader.raw("group_limited_greedy") === false) {
    for (const key of [...aliases.groups, ...aliases.groupsKept]) reader.raw(key);
    reader.record(`${path}.router.groups.count`, "group_limited_greedy", 1);
    return null;
  }
  const one = { max: experts, fallback: { value: 1, rule: "one group" } };
  const count = reader.count(`${path}.router.groups.count`, aliases.groups, one);
  const kept = reader.count(`${path}.router.groups.kept`, aliases.groupsKept, {
    max: experts,
    fallback: { value: count, rule: "all groups" },
  });
  if (count === 1) return null;
  if (experts % count !== 0) reader.problem(aliases.groups[0], `a divisor of the ${experts} experts`, count);
  if (kept > count) reader.problem(aliases.groupsKept[0], `at most the ${count} groups`, kept);
  if ((experts / count) * kept < topK)
    reader.problem(aliases.groupsKept[0], `groups that hold at least the ${topK} experts chosen`, kept);
  if (!family.groupedTopK) return { count, kept };
  if (topK % kept !== 0) reader.problem(aliases.groupsKept[0], `a divisor of the ${topK} experts chosen`, kept);
  return { count, kept, topKPerGroup: topK / kept };
}
