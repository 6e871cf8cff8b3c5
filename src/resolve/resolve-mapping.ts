import { InvalidInputError } from "../core/errors.ts";
import type { Node } from "../hardware/device.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import { degreeProblems, type Mapping, moeShape } from "../sim/mapping.ts";
import { nodeProblems } from "../sim/mapping-over-nodes.ts";

/**
 * The mapping of a scenario, defaults filled in. Throws for broken identities and unfit nodes. What the model's heads and
 * widths are not divisible by is for its engine to refuse.
 */
export function resolveMapping(scenario: Scenario, model: ModelSpec, node: Node): Mapping {
  const { tp = 1, cp = 1, dp = 1, pp = 1, etp = 1, edp = 1, ep } = scenario.parallel;
  const spread = (tp * cp * dp) / (etp * edp);
  const mapping: Mapping = { tp, cp, dp, pp, etp, edp, ep: ep ?? (moeShape(model) === null ? 1 : spread) };
  const broken = degreeProblems(mapping, model);
  const problems = broken.length > 0 ? broken : nodeProblems(mapping, node);
  if (problems.length > 0)
    throw new InvalidInputError(
      problems.map((problem) => ({ ...problem, ...scenario.place((problem.at ?? "parallel").split(".")) })),
    );
  return mapping;
}
