import { boundLaws } from "./bound-laws.ts";

// With kernel maps and without, dense and sparse, whole and divided, in several formats.
boundLaws([
  ["hardware.system=h100-sxm-8", "parallel={tp: 2}"],
  ["hardware.system=h200-sxm-8", "parallel={tp: 4, ep: 4, pp: 2}", "model.id=mixtral-8x7b"],
  ["hardware.system=l40s-8", "parallel={tp: 2}", "model.dtypes={experts: bf16}"],
  ["hardware.system=mi300x-8", "engine.id=sglang", "parallel={tp: 2, ep: 2}"],
]);
