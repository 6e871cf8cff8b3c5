import { boundLaws } from "./bound-laws.ts";

boundLaws([
  ["hardware.system=h100-sxm-8", "parallel={dp: 2, ep: 2}", "model.id=qwen3-30b-a3b"],
  ["hardware.system=rtx4090-desktop"],
]);
