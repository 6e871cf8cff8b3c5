import { InfeasibleError, type Problem } from "../core/errors.ts";
import { sentenceLines } from "../core/word-lines.ts";
import { expertsLeft } from "../policy/placement/kept-experts.ts";
import type { Placement } from "../policy/placement/placement.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { Deployment, Finding } from "./start-up/start-up-rule.ts";
import { startUpFindings } from "./start-up/start-up-rules.ts";

/** What the engine of a pool does at start. */
export interface ResolvedStartUp {
  /** What it refuses, placed in the scenario. */
  readonly refusals: readonly Problem[];
  readonly ledger: readonly LedgerEntry[];
}

const overruled = "; the scenario says that it starts anyway (engine.startsAnyway)";

/** Holds a pool against the known refusals of its engine. Those that the scenario overrules stand in the ledger. */
export function resolveStartUp(scenario: Scenario, deployment: Deployment): ResolvedStartUp {
  const { placement } = scenario.policy;
  const policy = {
    redundantExperts: placement?.redundant ?? 0,
    eplb: placement?.kind === "eplb" || placement?.rebalance !== undefined,
  };
  const startsAnyway = scenario.engine.startsAnyway === true;
  const findings = startUpFindings({ ...deployment, ...policy });
  const refuses = ({ severity, final = false }: Finding) => severity === "refusal" && (final || !startsAnyway);
  return {
    refusals: findings.filter(refuses).map((finding) => placed(finding, scenario)),
    ledger: findings
      .filter((finding) => !refuses(finding))
      .map(({ severity, reason }) => ({
        topic: "engine start",
        fidelity: "assumed",
        detail: `${reason}${severity === "refusal" ? overruled : ""}`,
      })),
  };
}

/** Transforms that leave a model with fewer experts. How many only its routing tells. */
const takesExperts = ({ routing }: Scenario): boolean =>
  "transforms" in routing && (routing.transforms ?? []).some(({ kind }) => kind === "prune" || kind === "merge");

/** The same before routing is read: what goes by the number of experts is left open where transforms take some. */
export const startUpOfShape = (scenario: Scenario, deployment: Deployment): ResolvedStartUp =>
  resolveStartUp(scenario, takesExperts(scenario) ? { ...deployment, expertsLeft: [] } : deployment);

/** What `startUpOfShape` has left open, by the experts that transforms have left. Throws where the engine refuses them. */
export function startUpOfLeft(scenario: Scenario, deployment: Deployment, placement: Placement): LedgerEntry[] {
  const open = resolveStartUp(scenario, { ...deployment, expertsLeft: [] });
  const { refusals, ledger } = resolveStartUp(scenario, { ...deployment, expertsLeft: expertsLeft(placement) });
  const further = refusals.filter(
    ({ at, expected }) => !open.refusals.some((one) => one.at === at && one.expected === expected),
  );
  if (further.length > 0) throw new InfeasibleError(further);
  return ledger.filter(({ detail }) => !open.ledger.some((one) => one.detail === detail));
}

/** The refusal as a problem. The engine's reason and the ways out stand below its line, in lines of a narrow terminal. */
function placed({ at, expected, found, reason, hint, final = false }: Finding, scenario: Scenario): Problem {
  const below = [
    reason,
    ...(hint === undefined ? [] : [hint]),
    ...(final ? [] : ["engine.startsAnyway: true overrules it"]),
  ];
  return { ...scenario.place(at.split(".")), at, expected, found, below: below.flatMap((line) => sentenceLines(line)) };
}
