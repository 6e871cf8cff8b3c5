import type { EngineOffload, EngineProfile, StaticSplit } from "../engine/engine-profile.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { LedgerEntry } from "../sim/result.ts";

type Section = NonNullable<Scenario["policy"]["offload"]>;

/** Parameters of miss policies that an engine has a figure for. */
interface MissParameters {
  readonly kind: Section["miss"]["kind"];
  readonly deviceFrom?: number;
  readonly experts?: number;
}

const words: Readonly<Record<StaticSplit, string>> = {
  weights: "weights of layers in host memory",
  layers: "whole layers",
  expertLayers: "experts of whole layers",
  tensors: "tensors by name",
  experts: "single experts",
};

/**
 * What of a scenario's offload its engine does not have: a what-if, and named so. Said of an engine whose profile does not tell,
 * too; and of a habit of the engine that the scenario does not state.
 */
export function offloadWhatIf({ name, offload }: EngineProfile, section: Section): LedgerEntry[] {
  const entry = (detail: string): LedgerEntry => ({ topic: "offload", fidelity: "assumed", detail });
  if (offload === null) return [entry(`${name}: its profile does not say what it has for experts that do not fit`)];
  const { devicePromptTokens: from } = offload;
  const miss: MissParameters = section.miss;
  const habit =
    from !== null && miss.kind === "host" && miss.deviceFrom === undefined
      ? [
          entry(
            `${name} fetches experts for steps of ${from} tokens and more, and computes them on the device: here the host computes all of them (policy.offload.miss.deviceFrom: ${from})`,
          ),
        ]
      : [];
  return offload.cache || isSplit(offload, section) ? habit : [entry(`what-if: ${lacks(name, offload)}`), ...habit];
}

/** Whether the scenario states a split that the engine makes itself: experts that never move, computed by the host. */
function isSplit({ static: splits, hostCompute, deferredExpertsMax }: EngineOffload, section: Section): boolean {
  const { kind, slots, flags } = section;
  if (flags !== undefined) return true;
  const miss: MissParameters = section.miss;
  const deferred = miss.experts ?? Number.POSITIVE_INFINITY;
  const computed = miss.kind === "host" || (miss.kind === "deferral" && deferred <= deferredExpertsMax);
  return hostCompute && computed && (slots === 0 || (kind === "static" && splits.includes("experts")));
}

function lacks(name: string, { static: splits, hostCompute }: EngineOffload): string {
  const has = splits.length === 0 ? "nothing for experts that do not fit" : "a split that is made once at start: ";
  const computes = hostCompute ? "; what lies in host memory is computed by its processors" : "";
  return `${name} has no expert cache, but ${has}${splits.map((split) => words[split]).join(", ")}${computes}`;
}
