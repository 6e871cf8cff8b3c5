import { type StorageFormat, storageFormats } from "../../src/core/dtype.ts";
import type { Device, Node } from "../../src/hardware/device.ts";
import { weightBytes } from "../../src/models/bytes.ts";
import { valueCounts } from "../../src/models/parameters.ts";
import { type ModelSpec, type TensorClass, tensorClasses } from "../../src/models/spec.ts";
import type { SimConfig } from "../../src/sim/config.ts";
import { type Mapping, mappingProblems } from "../../src/sim/mapping.ts";
import { timeComponents } from "../../src/sim/result.ts";
import { ExpectedExperts } from "../../src/sim/routing/expected-experts.ts";
import { addChunk, emptyBatch } from "../../src/sim/step/batch.ts";
import { moeLayers, stagePlans } from "../../src/sim/step/stage-plan.ts";
import { StepCost } from "../../src/sim/step/step-cost.ts";
import { testConfig } from "../sim/build.ts";
import { costOf, timedAlone } from "./cost-models.ts";

type Formats = SimConfig["formats"];

/** A deployment of one request: its weights in one format, over as few devices of the node as hold them. */
export interface LoneDecode {
  readonly node: Node;
  readonly engine: string;
  readonly model: ModelSpec;
  readonly formats: Formats;
  readonly mapping: Mapping;
}

/** All matrices of a model in one format; router, norms and embedding as released. */
export function formatsIn(model: ModelSpec, format: StorageFormat): Formats {
  const { formats } = model;
  return { ...formats, attention: format, dense: format, shared: format, experts: format, head: format };
}

/** What a step takes beside its kernels. */
const apart = (["kernelOverhead", "allReduce", "combine", "dispatch"] as const).map((name) =>
  timeComponents.indexOf(name),
);

/** Share of the device's memory that weights may take. */
const weightShare = 0.9;

/** The smallest tensor-parallel mapping whose weights fit; null where none does. */
export function smallestMapping(node: Node, model: ModelSpec, formats: Formats): Mapping | null {
  const bytes = Object.values(weightBytes(model, { formats })).reduce((sum, of) => sum + of, 0);
  for (let tp = 1; tp <= node.devicesPerNode; tp *= 2) {
    const mapping = { tp, cp: 1, dp: 1, pp: 1, ep: 1, etp: tp, edp: 1 };
    if (bytes / tp > weightShare * node.device.memoryBytes) continue;
    if (mappingProblems(mapping, model).length === 0) return mapping;
  }
  return null;
}

/**
 * Time of the kernels of a decode step of one sequence with one cached token, ns, as they are timed alone: no factor of an
 * engine, no launches of its own, no transfers between devices. On a node like that of the deployment.
 */
export function decodeKernelsNs(
  { engine, model, formats, mapping, ...one }: LoneDecode,
  node: Node = one.node,
): number {
  const config = testConfig({
    model,
    formats,
    node,
    mapping,
    engine: timedAlone(engine),
    routing: { kind: "uniform" },
  });
  const steps = new StepCost(config, costOf(node, engine));
  const batch = emptyBatch(steps.windows.length);
  addChunk(batch, steps.windows, 1, 1, true);
  batch.sampled = 1;
  const experts = new ExpectedExperts(moeLayers(model), 1, 0);
  const ns = steps.stageNs(stagePlans(model, 1)[0]!, 0, [batch], experts, true);
  return apart.reduce((kernels, index) => kernels - steps.components[index]!, ns);
}

/** Least time to read the matrices that one token needs, ns, over the ranks that share them evenly. */
export function readingNs(decode: LoneDecode, { memoryBytesPerSecond }: Device): number {
  return (activeBytes(decode) / memoryBytesPerSecond) * 1e9;
}

/** Bytes of the matrices that one token needs on one rank. */
export function activeBytes({ model, formats, mapping }: LoneDecode): number {
  const counts = valueCounts(model, "chosen");
  const bits = (name: TensorClass) => storageFormats[formats[name]].bitsPerValue;
  // A tied embedding is the head: its rows are read once more as its matrix.
  const head = model.vocabSize * model.hiddenSize * bits("head");
  const shared = tensorClasses
    .filter((name) => name !== "embedding" && name !== "head" && name !== "router")
    .reduce((sum, name) => sum + counts[name].matrices * bits(name), head);
  return shared / 8 / mapping.tp;
}

/** A node whose operations start at once. */
export function withoutLaunches({ device, ...node }: Node): Node {
  const launches = { gemmLaunchNs: 0, groupedGemmLaunchNs: 0, attentionLaunchNs: 0 };
  return { ...node, device: { ...device, efficiency: { ...device.efficiency, ...launches } } };
}

/** A node with `factor` times the memory bandwidth. */
export function withBandwidth({ device, ...node }: Node, factor: number): Node {
  return { ...node, device: { ...device, memoryBytesPerSecond: factor * device.memoryBytesPerSecond } };
}

/** Pairs of formats of which the first takes about half the bits of the second. */
export const halves = [
  ["fp8", "bf16"],
  ["fp8_block", "bf16"],
  ["int8", "bf16"],
  ["int4", "fp8"],
  ["int4", "int8"],
  ["int4_g32", "int8"],
  ["mxfp4", "fp8"],
  ["nvfp4", "fp8"],
] as const satisfies readonly (readonly [StorageFormat, StorageFormat])[];
