import { formatDuration } from "../../core/units.ts";
import { matrixBytes } from "../../models/bytes.ts";
import { valueCounts } from "../../models/parameters.ts";
import { tensorClasses } from "../../models/spec.ts";
import { printTarget } from "../../scenario/slo-expression.ts";
import type { Slo } from "../../scenario/slo-section.ts";
import type { PoolConfig } from "../../sim/config.ts";
import { stageRanks } from "../../sim/mapping.ts";
import type { PlanQuestion } from "../space/question.ts";
import type { Bound } from "./bound.ts";

/**
 * The weights that a token reads against the memory bandwidth of the devices that share a layer: no token comes sooner. Experts that
 * lie elsewhere, or that the host computes, are read by others too, and several tokens of one step are let pass: neither is bounded.
 */
export const latencyBound: Bound = {
  name: "roofline",
  excludes: ({ scenario }: PlanQuestion, pools: readonly PoolConfig[]) => {
    const floors = pools.filter(({ role }) => role !== "prefill").map(tokenNs);
    const floor = Math.min(...floors.map((ns) => ns ?? 0));
    if (!(floor > 0)) return null;
    const broken = (scenario.slo?.thresholds ?? []).find((slo) => isUpper(slo) && slo.expression.limit < floor);
    if (broken === undefined) return null;
    return `${printTarget(broken.target)} ${broken.text}: reading the weights of one token takes ${formatDuration(floor)}`;
  },
};

/** Upper limits of level error on the time of every output token; a smallest value is the one that a bound on all says least of. */
const isUpper = ({ target, expression, level }: Slo): boolean =>
  level === "error" && target.metric === "tpot" && (expression.comparator === "<" || expression.comparator === "<=");

/** Shortest time of an output token, ns; null where it has none. */
function tokenNs(pool: PoolConfig): number | null {
  const { model, node, mapping, offload, host, speculation } = pool;
  if (offload !== null || host !== undefined || speculation !== null) return null;
  const counts = valueCounts(model, "chosen");
  const bytes = tensorClasses
    .filter((name) => name !== "embedding" && name !== "head")
    .reduce((sum, name) => sum + matrixBytes(pool, name, counts[name].matrices), 0);
  return (bytes / (stageRanks(mapping) * node.device.memoryBytesPerSecond)) * 1e9;
}
