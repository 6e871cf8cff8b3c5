import { aliases } from "../../models/aliases.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { RoutingRule } from "../../models/routing.ts";

/** Softmax over all experts, the weights of the chosen ones as they are or divided by their sum. */
export function softmaxTopK(normalisesTopK: boolean): RoutingRule {
  return { scoring: "softmax", normalisesTopK, scale: 1, groups: null };
}

/** Group-limited selection from `n_group` and `topk_group`; null where all experts form one group. */
export function readGroups(
  reader: ConfigReader,
  { experts, topK }: { readonly experts: number; readonly topK: number },
  rank: "max" | "topTwo",
): RoutingRule["groups"] {
  const count = reader.count("groups.count", aliases.groups, { max: experts });
  const kept = reader.count("groups.kept", aliases.groupsKept, { max: experts });
  if (experts % count !== 0) reader.problem(aliases.groups[0], `a divisor of the ${experts} experts`, count);
  if (kept > count) reader.problem(aliases.groupsKept[0], `at most the ${count} groups`, kept);
  if ((experts / count) * kept < topK)
    reader.problem(aliases.groupsKept[0], `groups that hold at least the ${topK} experts chosen`, kept);
  if (rank === "topTwo" && count > 1 && experts / count < 2)
    reader.problem(aliases.groups[0], "groups of at least two experts, whose scores rank them", count);
  return count === 1 ? null : { count, kept, rank };
}
