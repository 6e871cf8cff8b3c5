import type { Node } from "../hardware/device.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { PoolConfig } from "../sim/config.ts";
import type { Mapping } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { ExpertLoads, FitSource } from "./expert-loads.ts";
import type { FileReader } from "./file-reader.ts";
import type { InputRow } from "./input-row.ts";
import type { LayerMapChoice } from "./layer-map.ts";

/** The deployment that policies are resolved for. */
export interface PolicySetting {
  readonly scenario: Scenario;
  readonly model: ModelSpec;
  readonly moe: MoeFeedForward;
  readonly mapping: Mapping;
  readonly node: Node;
  readonly formats: PoolConfig["formats"];
  readonly weightBits?: PoolConfig["weightBits"];
  /** Replayed routing; null where routing is uniform. */
  readonly source: FitSource | null;
  readonly layerMap: LayerMapChoice;
  readonly reader: FileReader;
}

/** A resolved policy, its name for people, and the ledger's entries on it. */
export interface Resolved<T> {
  readonly value: T;
  readonly name: string;
  readonly ledger: readonly LedgerEntry[];
  /** Files that it was made of; absent: none. */
  readonly inputs?: readonly InputRow[];
}

/** Physical experts of a layer. Without redundancy they are rounded up to whole ranks; the last ones stay empty. */
export function placedExperts({ scenario, moe, mapping }: PolicySetting): number {
  const redundant = scenario.policy.placement?.redundant ?? 0;
  return redundant > 0 ? moe.experts + redundant : Math.ceil(moe.experts / mapping.ep) * mapping.ep;
}

/** What the ledger says of the set that a policy was fitted on. */
export const fitEntry = (topic: string, loads: ExpertLoads): LedgerEntry => ({
  topic: `${topic} fit`,
  fidelity: "fitted",
  detail: loads.inSample
    ? `on the rows that are replayed (${loads.source}): optimistic`
    : `on ${loads.source}, not on the rows that are replayed`,
});
