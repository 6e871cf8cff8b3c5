import type { EngineProfile, StaticSplit } from "../engine/engine-profile.ts";
import type { LedgerEntry } from "../sim/result.ts";

const words: Readonly<Record<StaticSplit, string>> = {
  weights: "weights of layers in host memory",
  layers: "whole layers",
  expertLayers: "experts of whole layers",
  tensors: "tensors by name",
  experts: "single experts",
};

/** An expert cache on an engine that has none is a what-if; said of one whose profile does not tell, too. */
export function cacheWhatIf({ name, offload }: EngineProfile): LedgerEntry[] {
  const entry = (detail: string): LedgerEntry[] => [{ topic: "offload", fidelity: "assumed", detail }];
  if (offload === null) return entry(`${name}: its profile does not say whether it has an expert cache`);
  if (offload.cache) return [];
  const splits = offload.static.map((split) => words[split]).join(", ");
  const has = splits === "" ? "nothing for experts that do not fit" : `a split that is made once at start: ${splits}`;
  const computes = offload.hostCompute ? "; what lies in host memory is computed by its processors" : "";
  return entry(`what-if: ${name} has no expert cache, but ${has}${computes}`);
}
