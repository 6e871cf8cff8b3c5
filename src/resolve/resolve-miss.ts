import { type Problem, refuse } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import { missPolicies } from "../policy/miss/miss-policies.ts";
import type { MissChoice, MissPolicy } from "../policy/miss/miss-policy.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { inWords } from "./in-words.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** What is done about missing experts, its name and what the ledger says of it; null: all are fetched. */
export function resolveMiss(
  setting: PolicySetting,
  section: NonNullable<Scenario["policy"]["offload"]>,
): { readonly miss: MissChoice | null; readonly named: string; readonly ledger: readonly LedgerEntry[] } {
  const { kind, ...keys } = section.miss;
  const policy: MissPolicy = missPolicies[kind];
  const values = parametersIn(policy.parameters, keys);
  if (kind === "fetch") return { miss: null, named: "", ledger: [] };
  checkNeeds(setting, section, policy);
  const detail = policy.rule.endsWith("(lossy).")
    ? `${policy.rule.replace(" (lossy).", "")}: the model's answers change, by how much is not known`
    : policy.rule.slice(0, -1);
  return {
    miss: { policy, values },
    named: `, misses ${kind}${inWords(values)}`,
    ledger: [
      {
        topic: "misses",
        fidelity: "emulated",
        detail: `${detail.charAt(0).toLowerCase()}${detail.slice(1)}${standing(policy)}`,
      },
    ],
  };
}

/** What the decision rests on. */
const standing = ({ needs }: MissPolicy): string =>
  needs.includes("weights")
    ? "; by recorded router weights"
    : needs.includes("ranks")
      ? "; by the order of choices in the trace"
      : "";

/** Refuses a policy that needs what the node or the routing does not have. */
function checkNeeds(
  { scenario, node, source }: PolicySetting,
  { miss, numa, diskPath }: NonNullable<Scenario["policy"]["offload"]>,
  { name, needs }: MissPolicy,
): void {
  const refused = (expected: string, found: unknown, key = "miss"): never => {
    const problem: Problem = {
      ...scenario.place(["policy", "offload", key]),
      at: key === "miss" ? "policy.offload.miss.kind" : `policy.offload.${key}`,
      expected,
      found,
    };
    return refuse(problem);
  };
  if (needs.includes("host") && node.host === undefined)
    refused(`fetch, or another that needs no host: hardware.host does not say which processors a node has`, miss.kind);
  if (needs.includes("host") && node.sockets !== undefined && numa !== "interleave")
    refused(
      `interleave: the processors of all sockets compute experts together under ${name}`,
      numa ?? "local",
      "numa",
    );
  if (needs.includes("host") && diskPath === "direct")
    refused(`host: the processors compute experts in memory under ${name}`, diskPath, "diskPath");
  if (needs.includes("weights") && source?.replayed.weights === undefined)
    refused("a policy that goes by ids alone: the routing has no router weights", miss.kind);
}
