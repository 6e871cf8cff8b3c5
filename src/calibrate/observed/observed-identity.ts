import { storageFormats } from "../../core/dtype.ts";
import { engineIdOn } from "../../engine/catalogue.ts";
import { nodeNamed } from "../../hardware/named-profiles.ts";
import { modelNamed } from "../../models/catalogue.ts";
import type { ModelSpec } from "../../models/spec.ts";
import type { SimConfig } from "../../sim/config.ts";
import { mappingProblems, moeShape } from "../../sim/mapping.ts";
import type { MeasuredBenchmark } from "../measured/measured-benchmark.ts";
import { modelOf, namesOf } from "../measured/names.ts";
import type { ProblemList } from "../measured/problem-list.ts";
import type { ServingPoint } from "../measured/serving-point.ts";

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

/** Notes a benchmark of another model. Servers may call a model what they like, so a name that is not known passes. */
export function checkBenchmark({ model }: SimConfig, benchmark: MeasuredBenchmark, problems: ProblemList): void {
  if (benchmark.model === null) return;
  const { id } = modelOf(benchmark.model);
  if (id !== null && !sameModel(id, model))
    problems.add({ at: "model", expected: `${model.id}, as the scenario has it`, found: benchmark.model });
}

/** A model read from a configuration file has the id of its architecture: there the shape tells. */
function sameModel(id: string, model: ModelSpec): boolean {
  if (id === model.id) return true;
  const named = modelNamed(id);
  return (
    model.id === model.modelType &&
    named.modelType === model.modelType &&
    named.hiddenSize === model.hiddenSize &&
    named.layers.length === model.layers.length
  );
}

/** Formats of one width are one precision: fp8 by tensor or block, any of the 4-bit ones. */
const bitsOf = (format: keyof typeof storageFormats): number => storageFormats[format].valueBits;
