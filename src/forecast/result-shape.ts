import type { MetricUnit } from "../metrics/metric.ts";
import { sectionMetrics, sectionParts } from "../metrics/run-sections.ts";
import { missActions } from "../policy/miss/miss-policy.ts";
import type { LoadVerdict } from "../sim/outcome/load/load-verdict.ts";
import { latencyMetrics } from "../sim/outcome/request-latencies.ts";
import { timeComponents } from "../sim/result.ts";
import { replicaStates } from "../sim/scaling/replica-life.ts";
import type { BandBasis } from "./bands/bands.ts";
import { bandClasses } from "./bands/error-band-table.ts";
import type { AdviceUnit, SloVerdict } from "./forecast.ts";
import { picturedLatencies } from "./picture/latency-picture.ts";
import { type Kind, statistics } from "./result-kinds.ts";

/** Fields by dotted path; `[]` stands for each item of a list. */
type Shape = Readonly<Record<string, Kind>>;

/** All words of a type. */
const words = <Word extends string>(all: Readonly<Record<Word, true>>): readonly string[] => Object.keys(all);

const verdicts = words<LoadVerdict["verdict"]>({ stable: true, overloaded: true, tooShort: true });
const loops = words<LoadVerdict["loop"]>({ open: true, closed: true });
const levels = words<SloVerdict["level"]>({ error: true, warn: true });
const adviceUnits = words<AdviceUnit>({ ms: true, share: true, number: true });
const units = words<MetricUnit>({
  ms: true,
  "tok/s": true,
  "req/s": true,
  share: true,
  "USD/Mtok": true,
  "J/tok": true,
  requests: true,
  tokens: true,
  experts: true,
  ratio: true,
  maps: true,
  B: true,
  flag: true,
});
const bases = [...bandClasses, "modelAndSystem", "unmeasured"] satisfies readonly BandBasis[];
const actions = Object.keys(missActions);

/** The same kind for several fields of an object. */
const fields = (object: string, kind: Kind, names: readonly string[]): Shape =>
  Object.fromEntries(names.map((name) => [`${object}.${name}`, kind]));

const latencyShape = (path: string): Shape => ({
  [path]: "object",
  ...fields(path, "object", latencyMetrics),
  ...Object.assign(
    {},
    ...latencyMetrics.map((metric) => ({
      [`${path}.${metric}.n`]: "number",
      ...fields(`${path}.${metric}`, "number or null", statistics),
      [`${path}.${metric}.intervals`]: "set of intervals",
    })),
  ),
});

/** How evenly experts loaded their ranks, of a deployment or of a pool. */
const expertsShape = (path: string): Shape => ({
  [path]: "object or null",
  ...fields(path, "number", ["imbalance", "imbalanceMax", "expertSkew", "distinctExpertsPerStep"]),
  [`${path}.layers`]: "list",
  [`${path}.layers[]`]: "object",
  ...fields(`${path}.layers[]`, "number", ["imbalance", "imbalanceMax", "expertSkew", "distinctExperts", "pairs"]),
  [`${path}.layers[].withoutExpert`]: "number or absent",
  [`${path}.rankLoad`]: "list of numbers",
  [`${path}.balance`]: "object or absent",
  ...fields(`${path}.balance`, "number", ["balancedness", "imbalanceScore"]),
  [`${path}.exchange`]: "object or absent",
  ...fields(`${path}.exchange`, "number", ["ranksPerToken", "nodesPerToken", "countedShare"]),
  ...fields(`${path}.exchange`, "object or null", ["bytes", "busiest"]),
  ...fields(`${path}.exchange.bytes`, "object", ["dispatch", "combine"]),
  ...fields(`${path}.exchange.bytes.dispatch`, "number", ["near", "far"]),
  ...fields(`${path}.exchange.bytes.combine`, "number", ["near", "far"]),
  ...fields(`${path}.exchange.busiest`, "number", ["sender", "receiver"]),
});

/** What expert caches did, of a deployment or of a pool. */
const cacheShape = (path: string): Shape => ({
  [path]: "object or null",
  ...fields(path, "number", [
    "slots",
    "accesses",
    "hits",
    "misses",
    "diskReads",
    "fetchedBytes",
    "stallNs",
    "unionOverCapacity",
  ]),
  ...fields(path, "text", ["policy", "scope"]),
  [`${path}.stallBy`]: "object of numbers or absent",
  ...fields(path, "number or absent", ["writtenBackBytes", "pageCacheHits", "promotions"]),
  [`${path}.actions`]: "object or null",
  [`${path}.actions.policy`]: "text",
  [`${path}.actions.pairs`]: "number",
  [`${path}.actions.taken`]: "list",
  [`${path}.actions.taken[]`]: "object",
  [`${path}.actions.taken[].action`]: actions,
  ...fields(`${path}.actions.taken[]`, "number", ["experts", "pairs"]),
  [`${path}.actions.lossyMass`]: "number or null",
  [`${path}.prefetch`]: "object or absent",
  [`${path}.prefetch.kind`]: "text",
  ...fields(`${path}.prefetch`, "number", [
    "followed",
    "useful",
    "late",
    "evicted",
    "preempted",
    "unused",
    "refused",
    "bytes",
    "wastedBytes",
    "lateNs",
  ]),
  [`${path}.reference`]: "object or null",
  ...fields(`${path}.reference`, "number", ["accesses", "policy", "belady", "bestStatic", "lru"]),
});

const mappingShape = (path: string): Shape => ({
  [path]: "object",
  ...fields(path, "number", ["tp", "cp", "dp", "pp", "ep", "etp", "edp"]),
});

/** A figure before and after a change that was tried. */
const figureShape = (path: string): Shape => ({
  [path]: "object",
  [`${path}.metric`]: "text",
  [`${path}.unit`]: adviceUnits,
  ...fields(path, "number", ["before", "after"]),
});

/** A run at an end of the band. */
const endShape = (path: string): Shape => ({
  [path]: "object",
  [`${path}.verdict`]: verdicts,
  ...fields(path, "number", ["factor", "outputTokensPerSecond"]),
  ...fields(path, "number or null", ["usdPerMillionOutputTokens", "goodput", "sustainedRequestsPerSecond"]),
});

/** How long requests waited at a station between pools. */
const waitShape = (path: string): Shape => ({
  [path]: "object or null",
  ...fields(path, "number", ["n", "mean", "p50", "p90", "p99"]),
});

const bandsShape: Shape = {
  bands: "object or null",
  "bands.nominal": "number",
  "bands.basis": bases,
  "bands.unvalidated": "text or null",
  ...fields("bands", "object", ["factors", "withPoint", "metrics"]),
  ...fields("bands.factors", "pair of numbers", ["tpot", "ttft"]),
  ...fields("bands.withPoint", "pair of numbers", ["tpot", "ttft"]),
  ...fields("bands", "object or null", ["nearest", "ends"]),
  ...fields("bands.nearest", "text", ["model", "device", "engine"]),
  "bands.nearest.distance": "number",
  "bands.nearest.differs": "list of texts",
  ...endShape("bands.ends.fast"),
  ...endShape("bands.ends.slow"),
  ...fields("bands.metrics", "object or null", [
    "tpot",
    "ttft",
    "outputTokensPerSecond",
    "usdPerMillionOutputTokens",
    "goodput",
  ]),
  ...fields("bands.metrics.tpot", "number", ["lowMs", "highMs"]),
  ...fields("bands.metrics.ttft", "number", ["lowMs", "highMs"]),
  ...fields("bands.metrics.outputTokensPerSecond", "number", ["low", "high"]),
  ...fields("bands.metrics.usdPerMillionOutputTokens", "number", ["low", "high"]),
  ...fields("bands.metrics.goodput", "number", ["low", "high"]),
};

/** What pools of a deployment did, and how requests changed from one to another. */
const poolsShape: Shape = {
  pools: "list or absent",
  "pools[]": "object",
  ...fields("pools[]", "text", ["name", "role", "device", "engine", "placement"]),
  "pools[].model": "text or absent",
  "pools[].offload": "text or null",
  ...fields("pools[]", "number", ["devices", "replicas", "utilisation", "promptTimeShare"]),
  ...mappingShape("pools[].mapping"),
  "pools[].timeShare": "object of numbers",
  ...expertsShape("pools[].experts"),
  ...cacheShape("pools[].cache"),
  "pools[].kv": "object",
  ...fields("pools[].kv", "number", ["blocks", "peakShare", "preemptions"]),
  scaling: "list or absent",
  "scaling[]": "object",
  ...fields("scaling[]", "text", ["pool", "policy"]),
  ...fields("scaling[]", "number", ["min", "max", "mean", "most", "starts"]),
  "scaling[].meanByState": "object",
  ...fields("scaling[].meanByState", "number", replicaStates),
  rebalancing: "list or absent",
  "rebalancing[]": "object",
  ...fields("rebalancing[]", "text", ["pool", "kind"]),
  ...fields("rebalancing[]", "number", [
    "rebalances",
    "skipped",
    "movedExperts",
    "movedBytes",
    "stepS",
    "stallS",
    "stallShare",
  ]),
  ...fields("rebalancing[]", "number or null", ["balancednessBefore", "balancednessAfter"]),
  handover: "object or absent",
  ...fields("handover", "number", ["requests", "bytesPerRequest"]),
  ...waitShape("handover.room"),
  ...waitShape("handover.transfer"),
  ...waitShape("handover.decodeQueue"),
};

/** What charts show. */
const pictureShape: Shape = {
  picture: "object or absent",
  "picture.latency": "object",
  "picture.latency.shares": "list of numbers",
  "picture.latency.ms": "object",
  ...fields("picture.latency.ms", "list of numbers", picturedLatencies),
  ...fields("picture", "list", ["experts", "caches"]),
  ...fields("picture", "object", ["experts[]", "caches[]"]),
  ...fields("picture.experts[]", "number", [
    "layers",
    "experts",
    "ranks",
    "layersPerRow",
    "expertsPerColumn",
    "ranksPerColumn",
  ]),
  ...fields("picture.experts[]", "list of texts", ["byExpert", "byRank"]),
  ...fields("picture.caches[]", "text", ["pool", "scope", "policy"]),
  ...fields("picture.caches[]", "number", ["slots", "accesses"]),
  ...fields("picture.caches[]", "list of numbers", ["sizes", "lru", "bestStatic", "belady", "ofPolicy"]),
  "picture.experts[].pool": "text",
};

/** What the run was judged by, and compared with. */
const verdictShape: Shape = {
  slos: "list",
  "slos[]": "object",
  ...fields("slos[]", "text", ["metric", "expression", "valueText"]),
  "slos[].level": levels,
  "slos[].passed": "flag",
  ...fields("slos[]", "number or null", ["value", "margin"]),
  "slos[].samples": "number",
  "slos[].reason": "text or null",
  "slos[].interval": "object or null",
  "slos[].interval.low": "number",
  "slos[].interval.high": "number or null",
  baseline: "list or null",
  "baseline[]": "object",
  "baseline[].metric": "text",
  "baseline[].unit": units,
  ...fields("baseline[]", "number", ["before", "limit"]),
  ...fields("baseline[]", "number or null", ["after", "worseBy", "regression", "halfWidth"]),
  "baseline[].overSeeds": "flag or absent",
  "baseline[].failed": "flag",
  baselineRun: "object or null",
  ...fields("baselineRun", "text", ["scenario", "moecastVersion"]),
  "baselineRun.seed": "number",
  "baselineRun.otherDraws": "list of texts",
};

/** The runs with further seeds. */
const repetitionsShape: Shape = {
  repetitions: "object or absent",
  "repetitions.seeds": "list of numbers",
  "repetitions.load": "list",
  "repetitions.load[]": verdicts,
  "repetitions.metrics": "object of lists of numbers or nulls",
  "repetitions.slos": "list",
  "repetitions.slos[]": "list of flags",
};

/** All fields of a result document; what is below an object or a list that is null, or missing, is not looked at. */
export const resultShape: Shape = {
  moecastVersion: "text",
  ...fields("scenario", "text", ["name", "description", "file"]),
  seed: "number",
  inputs: "list",
  "inputs[]": "object",
  ...fields("inputs[]", "text", ["role", "name", "sha256"]),
  stated: "object of texts or absent",
  ...fields("deployment", "text", ["model", "device", "engine", "placement"]),
  ...fields("deployment", "number", ["devices", "replicas"]),
  ...mappingShape("deployment.mapping"),
  "deployment.formats": "object of texts",
  "deployment.offload": "text or null",
  interrupted: "flag",
  ...fields("requests", "number", ["total", "completed", "rejected", "unfinished", "warmup", "preemptions"]),
  "load.verdict": verdicts,
  "load.loop": loops,
  "load.reason": "text",
  ...fields("load", "number or null", [
    "offeredRequestsPerSecond",
    "sustainedRequestsPerSecond",
    "sustainedHalfWidth",
    "requestsNeeded",
  ]),
  ...latencyShape("latency"),
  latencyByClass: "object of latencies",
  ...bandsShape,
  ...fields("throughput", "number", [
    "durationS",
    "requestsPerSecond",
    "outputTokensPerSecond",
    "outputTokensPerSecondPerDevice",
    "totalTokensPerSecond",
    "meanBatchTokens",
  ]),
  "throughput.goodput": "number or null",
  cost: "object or null",
  ...fields("cost", "number", ["usdPerHour", "usdPerMillionOutputTokens", "usdPerMillionTokens"]),
  ...fields("cost", "object", ["price", "divided"]),
  "cost.price.usdPerDeviceHour": "number",
  "cost.price.source": "text",
  ...fields("cost.divided", "number", ["promptTimeShare", "usdPerMillionOutputTokens"]),
  "cost.divided.usdPerMillionInputTokens": "number or null",
  energy: "object or null",
  ...fields("energy", "number", ["joulesPerOutputToken", "averageW"]),
  ...expertsShape("experts"),
  ...cacheShape("cache"),
  modelCache: "object or absent",
  ...fields("modelCache", "number", [
    "models",
    "deviceBytes",
    "found",
    "missed",
    "loads",
    "evictions",
    "loadedBytes",
    "loadNs",
    "stallNs",
  ]),
  "modelCache.homes": "list",
  "modelCache.homes[]": "object",
  "modelCache.homes[].tier": "text",
  ...fields("modelCache.homes[]", "number", ["models", "bytes"]),
  speculation: "object or null",
  ...fields("speculation", "number", ["verifications", "drafted", "accepted"]),
  "speculation.acceptanceLength": "number or null",
  ...fields("kv", "number", ["blocks", "peakShare", "preemptions"]),
  "kv.prefixHitRate": "number or null",
  "memory.tiers": "list",
  "memory.tiers[]": "object",
  "memory.tiers[].tier": "text",
  ...fields("memory.tiers[]", "number", ["capacityBytes", "usedBytes"]),
  "memory.tiers[].items": "list",
  "memory.tiers[].items[]": "object",
  "memory.tiers[].items[].name": "text",
  "memory.tiers[].items[].bytes": "number",
  ...fields("memory", "number", ["kvBlocks", "kvBytesPerToken"]),
  timeShare: "object of numbers",
  "bottleneck.component": [...timeComponents, "frontEnd"],
  "bottleneck.share": "number",
  "bottleneck.advice": "object or null",
  "bottleneck.advice.metric": "text",
  ...fields("bottleneck.advice", "number", ["requests", "tried"]),
  "bottleneck.advice.helps": "list",
  ...figureShape("bottleneck.advice.helps[]"),
  "bottleneck.advice.helps[].text": "text",
  "bottleneck.advice.helps[].set": "list of texts",
  "bottleneck.advice.helps[].costs": "list",
  ...figureShape("bottleneck.advice.helps[].costs[]"),
  resources: "list",
  "resources[]": "object",
  "resources[].name": "text",
  ...fields("resources[]", "number", ["busyNs", "bytes", "utilisation"]),
  ...pictureShape,
  "series.intervalS": "number",
  ...fields("series", "list of numbers", ["waiting", "running", "kvUse", "outputTokensPerSecond"]),
  passed: "flag",
  ledger: "list",
  "ledger[]": "object",
  ...fields("ledger[]", "text", ["topic", "fidelity", "detail"]),
  laws: "object of numbers",
  sections: "object or null",
  ...fields("sections.latency", "object or null", sectionMetrics),
  ...Object.assign(
    {},
    ...sectionMetrics.map((metric) => fields(`sections.latency.${metric}`, "list of numbers", sectionParts)),
  ),
  ...fields("sections", "list of numbers or null", ["goodput", "requestsPerSecond", "outputTokensPerSecond"]),
  ...poolsShape,
  ...repetitionsShape,
  ...verdictShape,
};
