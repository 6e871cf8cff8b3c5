import type { MathFormat, StorageFormat } from "../../src/core/dtype.ts";
import { engineIdOn } from "../../src/engine/catalogue.ts";
import { runsOn } from "../../src/engine/platforms.ts";
import { architectureOf } from "../../src/hardware/architectures.ts";
import { groupedGemmShape } from "../../src/hardware/cost/grouped-gemm.ts";
import type { Device, Node } from "../../src/hardware/device.ts";
import { chooseMap, type KernelMap, linkFamilies } from "../../src/hardware/kernel-maps.ts";
import { activationsFor, mathFor, supportedMath } from "../../src/hardware/math-format.ts";
import type { GroupedGemmOp } from "../../src/hardware/op.ts";
import { weightBytes } from "../../src/models/bytes.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { ExpectedExperts } from "../../src/sim/routing/expected-experts.ts";
import { addChunk, emptyBatch } from "../../src/sim/step/batch.ts";
import { moeLayers, stagePlans } from "../../src/sim/step/stage-plan.ts";
import { StepCost } from "../../src/sim/step/step-cost.ts";
import { testConfig } from "../sim/build.ts";
import { costOf, timedAlone } from "./cost-models.ts";

/** A step of one kind: `sequences` that each compute `tokens` beyond `cached` ones. */
export interface StepLoad {
  readonly name: string;
  readonly sequences: number;
  readonly tokens: number;
  readonly cached: number;
}

export const prompt: StepLoad = { name: "a prompt of 4,096", sequences: 1, tokens: 4096, cached: 0 };
export const loads: readonly StepLoad[] = [
  prompt,
  { name: "one decode", sequences: 1, tokens: 1, cached: 2000 },
  { name: "64 decodes", sequences: 64, tokens: 1, cached: 2000 },
];

/** Experts in one format, all else as released. */
const expertsIn = ({ formats }: ModelSpec, experts: StorageFormat) => ({ ...formats, experts });

/** The engine's build on a device; null where it does not run. */
export function buildOn(engine: string, { id, name, platform }: Device): string | null {
  const built = engineIdOn(platform, engine);
  const computeCapability = architectureOf(id)?.computeCapability ?? null;
  return runsOn(built, { name, platform, computeCapability }) ? built : null;
}

const nodes = new WeakMap<Device, Node>();

/** Eight of a device; the same node at every call. */
function nodeOf(device: Device): Node {
  const node = nodes.get(device) ?? { device, devicesPerNode: 8, tiers: [] };
  nodes.set(device, node);
  return node;
}

/** Time of a step on `tp` devices of a node, ns, with kernels as they are timed alone. */
export function stepNs(
  device: Device,
  engine: string,
  model: ModelSpec,
  experts: StorageFormat,
  load: StepLoad,
  tp: number,
): number {
  const node = nodeOf(device);
  const config = testConfig({
    model,
    formats: expertsIn(model, experts),
    node,
    mapping: { tp, cp: 1, dp: 1, pp: 1, ep: 1, etp: tp, edp: 1 },
    engine: timedAlone(engine),
    routing: { kind: "uniform" },
  });
  const steps = new StepCost(config, costOf(node, engine));
  const batch = emptyBatch(steps.windows.length);
  for (let i = 0; i < load.sequences; i++) addChunk(batch, steps.windows, load.cached, load.tokens, load.tokens === 1);
  batch.sampled = load.sequences;
  const routed = new ExpectedExperts(moeLayers(model), 1, 0);
  return steps.stageNs(stagePlans(model, 1)[0]!, 0, [batch], routed, true);
}

/** Whether the weights of a model fit one device, and leave room for a step. */
export function fits(device: Device, model: ModelSpec, experts: StorageFormat, tp: number): boolean {
  const bytes = Object.values(weightBytes(model, { formats: expertsIn(model, experts) })).reduce(
    (sum, of) => sum + of,
    0,
  );
  return bytes / tp <= 0.9 * device.memoryBytes;
}

/** Arithmetic of the products with experts: kernels for mxfp4 take 8-bit activations where a device has 4-bit units. */
function expertMath(device: Device, experts: StorageFormat): MathFormat {
  if (experts === "mxfp4" && device.peak.fp4 !== undefined) return "fp8";
  return mathFor(device, experts, activationsFor(experts, device));
}

const peakOf = (device: Device, math: MathFormat): number => device.peak[supportedMath(device, math)] ?? 0;

/** The peak that experts of a format are computed at. */
const expertPeak = (device: Device, experts: StorageFormat): number => peakOf(device, expertMath(device, experts));

/** Whether one device has at least every figure of another that a step with experts of a format rests on. */
export function dominates(a: Device, b: Device, experts: StorageFormat): boolean {
  return (
    a.id !== b.id &&
    a.kind === b.kind &&
    a.platform === b.platform &&
    a.memoryBytesPerSecond >= b.memoryBytesPerSecond &&
    peakOf(a, "bf16") >= peakOf(b, "bf16") &&
    peakOf(a, "fp8") >= peakOf(b, "fp8") &&
    expertPeak(a, experts) >= expertPeak(b, experts) &&
    (a.vectorFlopsPerSecond ?? Number.POSITIVE_INFINITY) >= (b.vectorFlopsPerSecond ?? 0)
  );
}

/** Whether the link between devices of one node is at least as fast, by data sheet and by latency. */
export function linksDominate(a: Device, b: Device): boolean {
  return a.scaleUp !== null && b.scaleUp !== null && a.scaleUp.bytesPerSecond >= b.scaleUp.bytesPerSecond;
}

/** Devices whose measurements stand behind the kernels of a device, links apart; none where rooflines do. */
function sourcesOf({ id, kernels }: Device): string {
  const maps = (kernels?.maps ?? []).filter((map) => !linkFamilies.has(map.family));
  return [...new Set(maps.map((map) => map.from ?? id))].toSorted().join();
}

/** Another engine's kernel, or one for another format, stands in: they have been found this far apart. */
const standIn = 1.5;
/** What norms, heads and links may differ by that were measured on both. */
const measuredTwice = 1.02;
const sameMeasurement = 1.005;

interface ExpertStep {
  readonly engine: string;
  readonly model: ModelSpec;
  readonly experts: StorageFormat;
  readonly load: StepLoad;
  readonly tp: number;
}

/**
 * How much longer a step may take on a device that has at least every figure of another. Not at all where the same
 * measurements, or rooflines, stand behind both. Where each was measured, by the errors of their maps of experts on held-out shapes.
 */
export function orderTolerance(a: Device, b: Device, step: ExpertStep): number {
  if (sourcesOf(a) === sourcesOf(b)) return sameMeasurement;
  let tolerance = measuredTwice;
  for (const device of [a, b]) {
    const chosen = chooseMap(device.kernels, "groupedGemm", buildOn(step.engine, device), step.experts);
    if (chosen === null || !chosen.sameEngine || !chosen.sameWidth || !covers(chosen.map, device, step)) return standIn;
    tolerance += chosen.map.fit.heldOutError?.mean ?? 0;
  }
  return tolerance;
}

/** Whether the experts of a step lie within the outer knots of a map. */
function covers(map: KernelMap, device: Device, { model, experts, load, tp }: ExpertStep): boolean {
  const moe = model.layers.flatMap(({ feedForward }) => (feedForward.kind === "moe" ? [feedForward] : []))[0];
  if (moe === undefined) return false;
  const rows = load.sequences * load.tokens;
  const distinctExperts = moe.experts * (1 - Math.exp(rows * Math.log1p(-moe.topK / moe.experts)));
  const shardWidth = moe.expertWidth / tp;
  const op: GroupedGemmOp = {
    kind: "groupedGemm",
    pairs: rows * moe.topK,
    distinctExperts,
    presentedPairs: rows * moe.topK,
    parametersPerExpert: 3 * model.hiddenSize * shardWidth,
    shardWidth,
    valuesPerPair: 2 * model.hiddenSize + 3 * shardWidth,
    weightFormat: experts,
    math: expertMath(device, experts),
  };
  return groupedGemmShape.axes.every(({ of }, i) => {
    const { knots } = map.axes[i]!;
    return of(op) >= knots[0]! / measuredTwice && of(op) <= knots.at(-1)! * measuredTwice;
  });
}

/** Architectures whose products run on the same instructions, mma.sync. */
const alike: ReadonlySet<string> = new Set(["Ampere", "Ada", "RTX Blackwell"]);

/** Whether the kernels of two GPUs compute by the same instructions. */
export const computeAlike = (a: Device, b: Device): boolean =>
  [a, b].every(({ id }) => alike.has(architectureOf(id)?.name ?? ""));

/** The least and the largest ratio of two devices' figures that a prompt rests on. */
export function figureRatios(a: Device, b: Device, experts: StorageFormat): readonly [least: number, most: number] {
  const ratios = [
    a.memoryBytesPerSecond / b.memoryBytesPerSecond,
    peakOf(a, "bf16") / peakOf(b, "bf16"),
    expertPeak(a, experts) / expertPeak(b, experts),
  ];
  return [Math.min(...ratios), Math.max(...ratios)];
}
