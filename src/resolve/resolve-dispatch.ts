import { InvalidInputError, type Problem } from "../core/errors.ts";
import { parametersIn } from "../core/parameters.ts";
import type { DispatchChoice, DispatchPolicy } from "../policy/dispatch/dispatch.ts";
import { dispatches } from "../policy/dispatch/dispatches.ts";
import { exchangesTokens } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { expertLoads } from "./expert-loads.ts";
import { layerMapOf } from "./layer-map.ts";
import { locatedAsync } from "./located.ts";
import { fitEntry, type PolicySetting, type Resolved } from "./policy-setting.ts";

/** How a scenario dispatches tokens among the copies of an expert. Undefined value: it does not say. */
export function resolveDispatch(setting: PolicySetting): Promise<Resolved<DispatchChoice | undefined>> {
  const { scenario, moe } = setting;
  const section = scenario.policy.placement;
  const stated = section?.dispatch;
  if (section === undefined || stated === undefined)
    return Promise.resolve({ value: undefined, name: "round-robin", ledger: [] });
  return locatedAsync(scenario, ["policy", "placement", "dispatch"], async () => {
    const policy: DispatchPolicy = dispatches[stated.kind];
    const problems = dispatchProblems(policy, setting);
    if (problems.length > 0) throw new InvalidInputError(problems);
    const loads = policy.needs.includes("loads") ? await expertLoads(scenario, section.fit, setting.source, moe) : null;
    const values = parametersIn(policy.parameters, stated);
    const ledger: LedgerEntry[] = loads === null ? [] : [fitEntry("dispatch", loads)];
    if (policy.leavesOut !== undefined)
      ledger.push({
        topic: "dispatch rule",
        fidelity: "assumed",
        detail: `${policy.name}: ${policy.leavesOut}: left out of step times`,
      });
    if (policy.whatIf === true)
      ledger.push({
        topic: "dispatch rule",
        fidelity: "assumed",
        detail: `${policy.name}: pairs are spread evenly over ranks whatever experts these hold: a bound that no engine can serve`,
      });
    return {
      value: {
        policy,
        values,
        loads:
          loads === null ? null : loadsByLayer(loads.uses, setting, layerMapOf(setting.layerMap, loads, setting.model)),
      },
      name: policy.name,
      ledger,
    };
  });
}

/** What a rule asks for that the scenario does not have. */
function dispatchProblems(policy: DispatchPolicy, { scenario, mapping, source }: PolicySetting): Problem[] {
  const place = scenario.place(["policy", "placement", "dispatch", "kind"]);
  const problem = (expected: string): Problem => ({
    ...place,
    at: "policy.placement.dispatch.kind",
    expected,
    found: policy.name,
  });
  const problems: Problem[] = [];
  if (source === null)
    problems.push(problem("no dispatch rule: routing is uniform, which has no tokens of single experts"));
  if (policy.needs.includes("sources") && mapping.edp > 1)
    problems.push(
      problem(
        "a rule that needs no source ranks (round-robin, random, lp): with parallel.edp above 1 tokens are not counted by where they come from",
      ),
    );
  else if (policy.needs.includes("sources") && !exchangesTokens(mapping))
    problems.push(
      problem(
        "a rule that needs no source ranks (round-robin, random, lp): without data or context parallelism every rank has all tokens, and none is sent",
      ),
    );
  if (policy.whatIf === true && scenario.policy.offload !== undefined)
    problems.push(problem("a rule that keeps tokens with their experts, as policy.offload asks for these one by one"));
  return problems;
}

/** [MoE layers x experts] the loads of the trace layers that the layers replay. */
function loadsByLayer(
  uses: Float64Array,
  { moe: { experts } }: PolicySetting,
  traceLayers: readonly number[],
): Float64Array {
  const loads = new Float64Array(traceLayers.length * experts);
  for (const [layer, traceLayer] of traceLayers.entries())
    loads.set(uses.subarray(traceLayer * experts, (traceLayer + 1) * experts), layer * experts);
  return loads;
}
