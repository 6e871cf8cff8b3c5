import { modelNamed } from "../../models/catalogue.ts";
import type { ModelSpec } from "../../models/spec.ts";

/**
 * Whether a model of the catalogue is the one that is forecast. A model read from a configuration file has the id of its
 * architecture: there the shape tells.
 */
export function sameModel(id: string, model: ModelSpec): boolean {
  if (id === model.id) return true;
  const named = modelNamed(id);
  return (
    model.id === model.modelType &&
    named.modelType === model.modelType &&
    named.hiddenSize === model.hiddenSize &&
    named.layers.length === model.layers.length
  );
}
