import { isGgml } from "../../core/dtype.ts";
import type { Launch, LaunchChoices, Launcher } from "./launch.ts";
import { Line } from "./line.ts";
import { offloadWords } from "./offload-words.ts";
import { sglangExpresses, sglangFlags } from "./sglang.ts";

/**
 * Kernels of the host by the format of its experts (`--kt-method`; kvcache-ai/ktransformers, kt-kernel/README.md): LLAMAFILE reads GGUF
 * files, the others weights that were converted for them or the release's own.
 */
const methods: Readonly<Record<string, string>> = {
  bf16: "BF16",
  fp8_block: "FP8",
  int4: "AMXINT4",
  int8: "AMXINT8",
  int8_a16: "AMXINT8",
};

/** KTransformers on one machine: SGLang, with experts on the processors of the host. */
export const ktransformers: Launcher = {
  engines: ["ktransformers"],
  program: "ktransformers",
  cluster: false,
  expresses: [
    ...sglangExpresses.filter((path) => !path.startsWith("policy.placement") && !path.startsWith("handover")),
    "policy.offload",
    "hardware.host.threads",
  ],
  write(choices): Launch {
    const line = new Line();
    const environment = sglangFlags(choices, line);
    if (choices.nodes > 1) line.refuse("parallel", "KTransformers is started on one machine");
    if (choices.role !== "both") line.refuse("pools.role", "KTransformers documents no prefill and decode pools");
    hostExperts(choices, line);
    return {
      words: line.words,
      environment,
      files: [],
      needs: { KT_WEIGHTS: "a folder with the weights of the experts, as --kt-weight-path takes them" },
      refused: line.refused,
    };
  },
};

function hostExperts({ offloadFlags, expertFormat, hostThreads }: LaunchChoices, line: Line): void {
  line.flag("--kt-weight-path", [{ variable: "KT_WEIGHTS" }]);
  const method = isGgml(expertFormat) ? "LLAMAFILE" : methods[expertFormat];
  if (method === undefined)
    line.refuse("model.dtypes.experts", `--kt-method of KTransformers has no kernels for ${expertFormat} experts`);
  else line.flag("--kt-method", method);
  line.flag("--kt-cpuinfer", hostThreads);
  const words = offloadWords(offloadFlags, "ktransformers", line);
  line.words.push(...words);
  if (words.includes("frequency"))
    line.refuse(
      "policy.offload",
      "which experts are the most frequent: KTransformers takes them from a file of SGLang's own recorder (--init-expert-location)",
    );
}
