import type { Problem } from "../core/errors.ts";
import { sentenceLines } from "../core/word-lines.ts";
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
  const policy = { redundantExperts: placement?.redundant ?? 0, eplb: placement?.kind === "eplb" };
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

/** The refusal as a problem. The engine's reason and the ways out stand below its line, in lines of a narrow terminal. */
function placed({ at, expected, found, reason, hint, final = false }: Finding, scenario: Scenario): Problem {
  const below = [
    reason,
    ...(hint === undefined ? [] : [hint]),
    ...(final ? [] : ["engine.startsAnyway: true overrules it"]),
  ];
  return { ...scenario.place(at.split(".")), at, expected, found, below: below.flatMap((line) => sentenceLines(line)) };
}
