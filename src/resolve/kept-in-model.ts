import type { Problem } from "../core/errors.ts";
import { formatNumber } from "../core/units.ts";
import { keptOf, leftInPlace } from "../policy/placement/kept-experts.ts";
import type { PlacementNeed } from "../policy/placement/placement.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { layerMapOf } from "./layer-map.ts";
import { expertHomeNumbers } from "./placement-statistics.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** [layers that hold experts][experts] 1 for each that transforms have left in the model; null where they took none. */
export function keptInModel({ source, model, moe, layerMap }: PolicySetting): Uint8Array | null {
  const table = source?.replayed;
  if (table?.kept === undefined) return null;
  const homes = expertHomeNumbers(model);
  const { experts } = moe;
  const kept = new Uint8Array((Math.max(...homes) + 1) * experts);
  // Experts that any visit chooses from are held.
  for (const [layer, traceLayer] of layerMapOf(layerMap, table, model).entries())
    for (let expert = 0; expert < experts; expert++)
      if (table.kept[traceLayer * experts + expert] === 1) kept[homes[layer]! * experts + expert] = 1;
  return kept;
}

export function keptProblems(
  { scenario, moe, mapping }: PolicySetting,
  kept: Uint8Array,
  needs: ReadonlySet<PlacementNeed>,
): Problem[] {
  const section = scenario.policy.placement!;
  const problems: Problem[] = [];
  if ([...needs].some((need) => need !== "loads"))
    problems.push({
      ...scenario.place(["policy", "placement", "kind"]),
      at: "policy.placement.kind",
      expected: "a policy that goes by loads alone, for a model that transforms have taken experts out of",
      found: section.kind,
    });
  const counts = Array.from(
    { length: kept.length / moe.experts },
    (_, layer) => keptOf(kept, moe.experts, layer).length,
  );
  const uneven = counts.find((count) => section.redundant > 0 && (count + section.redundant) % mapping.ep !== 0);
  if (uneven !== undefined)
    problems.push({
      ...scenario.place(["policy", "placement", "redundant"]),
      at: "policy.placement.redundant",
      expected: `the ${uneven} experts that are left of a layer + redundant to be a multiple of ep ${mapping.ep}`,
      found: section.redundant,
    });
  return problems;
}

/** What the ledger says of the experts that are left, and of a layout that does not place them anew. */
export function keptEntry({ moe, mapping }: PolicySetting, kept: Uint8Array): LedgerEntry {
  const counts = Array.from(
    { length: kept.length / moe.experts },
    (_, layer) => keptOf(kept, moe.experts, layer).length,
  );
  const { fewest, most, meanMost } = leftInPlace(kept, moe.experts, mapping.ep);
  const [least, largest] = [Math.min(...counts), Math.max(...counts)];
  const left =
    mapping.ep === 1
      ? ""
      : `, placed anew; left where they were, ranks would hold ${fewest} to ${most} of a layer, the fullest ${formatNumber(meanMost, 4)} on average`;
  return {
    topic: "experts left",
    fidelity: "emulated",
    detail: `${least === largest ? least : `${least} to ${largest}`} of ${moe.experts} in a layer hold weights${left}; what it does to answers is not simulated`,
  };
}
