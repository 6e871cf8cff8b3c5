import type { Mapping } from "../sim/mapping.ts";
import type { TrafficSplit } from "./comparison.ts";
import type { RunFigures } from "./placed-runs.ts";
import type { StepTimes } from "./step-parts.ts";

/** A mapping simulated with the same requests and random draws as the one in use; gains null for that one. */
export interface SimulatedMapping extends RunFigures {
  readonly name: string;
  readonly mapping: Mapping;
  readonly isCurrent: boolean;
  /** As `--set` takes them. */
  readonly set: readonly string[];
  /** What the engine says of its start that it does not say of the mapping in use: it may have no such mapping. */
  readonly startNotes: readonly string[];
  /** [runs] mean end-to-end latency, ms. */
  readonly timeMs: readonly number[];
  /** Heaviest over mean expert rank of a step; null with one rank. */
  readonly imbalance: number | null;
  /**
   * Bytes that tokens send to experts and back, per token of the model, over all layers: inside nodes and between them. null where
   * they are not counted, such as for several copies of all experts, or nothing is sent.
   */
  readonly exchange: { readonly near: number; readonly far: number } | null;
  readonly stepNs: StepTimes;
}

/** A mapping that does not fit, or that its engine does not start, and why. */
export interface LeftOutMapping {
  readonly name: string;
  readonly mapping: Mapping;
  readonly reason: string;
}

export interface MappingVerdict {
  readonly apply: boolean;
  readonly name: string;
  readonly headline: string;
  readonly reasons: readonly string[];
}

/** Expert parallelism against tensor parallelism inside experts on the devices of a deployment; plain JSON. */
export interface MappingComparison {
  readonly kind: "mapping-comparison";
  readonly schemaVersion: 1;
  readonly moecastVersion: string;
  readonly scenario: { readonly name: string; readonly description: string; readonly file: string };
  readonly model: string;
  /** Devices of a pipeline stage, and nodes or domains of a scale-up link that they lie in. */
  readonly devices: number;
  readonly nodes: number;
  readonly requests: number;
  readonly repeats: number;
  readonly seed: number;
  readonly split: TrafficSplit;
  readonly mappings: readonly SimulatedMapping[];
  readonly leftOut: readonly LeftOutMapping[];
  readonly verdict: MappingVerdict;
  /** Whether it was interrupted: what is listed is what there is. */
  readonly interrupted: boolean;
}
