import type { Problem } from "../core/errors.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { divisionProblems } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { type Deployment, engineName, type Finding } from "./start-up/start-up-rule.ts";
import { startUpFindings } from "./start-up/start-up-rules.ts";

/** What the engine of a pool does at start. */
export interface ResolvedStartUp {
  /** What it refuses, placed in the scenario. */
  readonly refusals: readonly Problem[];
  readonly ledger: readonly LedgerEntry[];
}

const overruled = "; the scenario says that it starts anyway (engine.startsAnyway)";

/**
 * Holds a pool against what no engine divides, and against the known refusals of its own. Those that the scenario overrules
 * stand in the ledger.
 */
export function resolveStartUp(scenario: Scenario, deployment: Deployment): ResolvedStartUp {
  const redundantExperts = scenario.policy.placement?.redundant ?? 0;
  const undivided = divisionProblems(deployment.mapping, deployment.model);
  // Slices of what cannot be divided are no matter of their own.
  const findings = startUpFindings({ ...deployment, redundantExperts }).filter(
    ({ at }) => !undivided.some((problem) => problem.at === at),
  );
  const startsAnyway = scenario.engine.startsAnyway === true;
  const refusals = startsAnyway ? [] : findings.filter(({ severity }) => severity === "refusal");
  const noted = startsAnyway ? findings : findings.filter(({ severity }) => severity === "warning");
  return {
    refusals: [
      ...undivided.map((problem) => ({
        ...problem,
        ...scenario.place((problem.at ?? "parallel").split(".")),
        expected: `${problem.expected}: ${engineName(deployment)} divides them over ranks evenly`,
      })),
      ...refusals.map((finding) => placed(finding, scenario)),
    ],
    ledger: noted.map((finding) => ({
      topic: "engine start",
      fidelity: "assumed",
      detail: `${finding.reason}${finding.severity === "refusal" ? overruled : ""}`,
    })),
  };
}

function placed({ at, expected, found, reason, hint }: Finding, scenario: Scenario): Problem {
  return {
    ...scenario.place(at.split(".")),
    at,
    expected: `${expected}: ${reason}`,
    found,
    hint: [hint, "engine.startsAnyway overrules it"].filter((part) => part !== undefined).join("; "),
  };
}
