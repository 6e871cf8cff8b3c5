import { InvalidInputError, type Problem } from "../core/errors.ts";
import { formatNumber } from "../core/units.ts";
import { acceptanceCurveNamed, acceptanceSource } from "../models/acceptance-curves.ts";
import { conditionalAcceptance } from "../models/acceptance-probabilities.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { Draft, SpeculationConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { acceptanceLength } from "../sim/speculation.ts";
import { located } from "./located.ts";

type Section = NonNullable<Scenario["engine"]["speculative"]>;

/** Speculative decoding of a scenario; null without. */
export interface ResolvedSpeculation {
  readonly value: SpeculationConfig | null;
  readonly ledger: readonly LedgerEntry[];
}

const path = ["engine", "speculative"] as const;

export function resolveSpeculation(scenario: Scenario, model: ModelSpec): ResolvedSpeculation {
  const section = scenario.engine.speculative;
  if (section === undefined) return { value: null, ledger: [] };
  checkLayers(scenario, section, model);
  const { acceptance, fidelity, detail } = acceptanceOf(scenario, section);
  const length = formatNumber(acceptanceLength(acceptance));
  return {
    value: { draftTokens: section.draftTokens, acceptance, draft: draftOf(section) },
    ledger: [{ topic: "draft acceptance", fidelity, detail: `${length} tokens per verification, ${detail}` }],
  };
}

function draftOf({ method, draftLayers = 1 }: Section): Draft {
  return method === "ngram" ? { kind: "free" } : { kind: method, layersPerToken: draftLayers };
}

function checkLayers(scenario: Scenario, { method, draftLayers }: Section, model: ModelSpec): void {
  const problem = (key: string, expected: string, rest: Partial<Problem>): never => {
    const at = [...path, key];
    throw new InvalidInputError([{ ...scenario.place(at), at: at.join("."), expected, ...rest }]);
  };
  if (method === "ngram" && draftLayers !== undefined)
    problem("draftLayers", "nothing: n-gram drafts pass no layers", { found: draftLayers });
  if (method === "mtp" && draftLayers === undefined && model.mtpLayers === 0)
    problem("method", `eagle or ngram: ${model.name} ships no layers for multi-token prediction`, {
      found: method,
      hint: "state draftLayers to assume layers like the model's last one",
    });
}

interface Acceptance {
  readonly acceptance: Float64Array;
  readonly fidelity: LedgerEntry["fidelity"];
  readonly detail: string;
}

function acceptanceOf(scenario: Scenario, { acceptance, draftTokens }: Section): Acceptance {
  const stated = { fidelity: "assumed", detail: "as the scenario states" } as const;
  if (typeof acceptance === "number") return { acceptance: new Float64Array(draftTokens).fill(acceptance), ...stated };
  const wrongCount = (key: string, expected: string, found: number): never => {
    const at = [...path, key];
    throw new InvalidInputError([{ ...scenario.place(at), at: at.join("."), expected, found }]);
  };
  if (typeof acceptance !== "string") {
    if (acceptance.length !== draftTokens)
      wrongCount("acceptance", `${draftTokens} probabilities, one for each draft token`, acceptance.length);
    return { acceptance: Float64Array.from(acceptance), ...stated };
  }
  const curve = located(scenario, [...path, "acceptance"], () => acceptanceCurveNamed(acceptance));
  if (draftTokens > curve.lengths.length)
    wrongCount("draftTokens", `at most ${curve.lengths.length}, as ${acceptance} was measured`, draftTokens);
  return {
    acceptance: conditionalAcceptance(curve, draftTokens),
    fidelity: "thirdParty",
    detail: `${acceptance} (${curve.method} of ${curve.model}), ${acceptanceSource}; other text is accepted differently`,
  };
}
