import { storageFormats } from "../../core/dtype.ts";
import { engineIdOn } from "../../engine/catalogue.ts";
import { nodeNamed } from "../../hardware/named-profiles.ts";
import type { SimConfig } from "../../sim/config.ts";
import { mappingProblems, moeShape } from "../../sim/mapping.ts";
import { namesOf } from "../measured/names.ts";
import type { ProblemList } from "../measured/problem-list.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { sameModel } from "./same-model.ts";

/** Notes whatever makes a point no observation of the deployment that `config` describes. */
export function checkPoint(config: SimConfig, point: ServingPoint, problems: ProblemList): void {
  const { line } = point;
  const { names, problems: unknown } = namesOf(point);
  for (const problem of unknown ?? []) problems.add(problem);
  if (names === null) return;
  const { model, node, engine, formats } = config;
  const differs = (at: string, expected: string, found: string) =>
    problems.add({ line, at, expected: `${expected}, as the scenario has it`, found });
  const weights = moeShape(model) === null ? formats.dense : formats.experts;
  if (!sameModel(names.model, model)) differs("model", model.id, point.model);
  else if (bitsOf(names.weights) !== bitsOf(weights)) differs("precision", `weights in ${weights}`, point.precision);
  if (nodeNamed(names.system).device.id !== node.device.id) differs("system", node.device.id, point.system);
  // The name of an engine stands for its build on the device.
  if (engineIdOn(node.device.platform, names.engine) !== engine.id) differs("backend", engine.id, point.engine);
  if (point.tpotMs === null) problems.add({ line, at: "tpot_ms", expected: "a measured TPOT", found: "" });
  const { tp, dp, ep, etp } = point;
  for (const { at, expected, found } of mappingProblems({ tp, cp: 1, dp, pp: 1, ep, etp, edp: 1 }, model, "layout"))
    problems.add({ line, ...(at === undefined ? {} : { at }), expected, found });
}

/** Formats of one width are one precision: fp8 by tensor or block, any of the 4-bit ones. */
const bitsOf = (format: keyof typeof storageFormats): number => storageFormats[format].valueBits;
