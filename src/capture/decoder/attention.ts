import type { Tfjs } from "../backends/backend.ts";
import { loadGqa } from "./gqa.ts";
import type { Attention } from "./key-values.ts";
import { loadMla } from "./mla.ts";
import type { GqaPlan, MlaPlan } from "./plan.ts";
import type { WeightSource } from "./weights.ts";

/** Loads the attention of a layer onto the backend. */
export function loadAttention(
  tf: Tfjs,
  weights: WeightSource,
  plan: GqaPlan | MlaPlan,
  normEpsilon: number,
): Promise<Attention> {
  return plan.kind === "gqa" ? loadGqa(tf, weights, plan, normEpsilon) : loadMla(tf, weights, plan);
}
