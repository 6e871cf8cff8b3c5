import { type Launch, type LaunchChoices, type Launcher, modelWord, portWord } from "./launch.ts";
import { Line } from "./line.ts";
import { offloadWords } from "./offload-words.ts";

const kvFormats = {
  fp32: "f32",
  fp16: "f16",
  bf16: "bf16",
  q8_0: "q8_0",
  q4_0: "q4_0",
  q4_1: "q4_1",
  q5_0: "q5_0",
  q5_1: "q5_1",
} as const;

/** More layers than any model has: all go to the devices. */
const allLayers = 999;

/** llama.cpp on one machine: `llama-server`, its model a GGUF file. */
export const llamaCpp: Launcher = {
  engines: ["llama.cpp"],
  program: "llama.cpp",
  cluster: false,
  expresses: ["parallel.tp", "parallel.etp", "parallel.pp", "policy.offload", "hardware.host.threads"],
  write(choices): Launch {
    const line = new Line();
    line.flag("--model", modelWord);
    line.flag("--host", "0.0.0.0");
    line.flag("--port", portWord);
    // The context that it sets aside is divided evenly among the slots.
    line.flag(
      "--ctx-size",
      choices.contextTokens === undefined ? undefined : choices.contextTokens * choices.maxSequences,
    );
    line.flag("--parallel", choices.maxSequences);
    line.flag("--batch-size", choices.maxBatchTokens);
    line.flag("--ubatch-size", choices.maxBatchTokens);
    line.on(choices.prefixCaching ? "--cache-prompt" : "--no-cache-prompt");
    if (!choices.chunkedPrefill)
      line.refuse("engine.enableChunkedPrefill", "llama.cpp always computes prompts in pieces of --ubatch-size");
    if (choices.kvCacheFormat !== undefined) {
      const type = line.among(
        kvFormats,
        "model.kvCacheDtype",
        choices.kvCacheFormat,
        `--cache-type-k of llama.cpp has no ${choices.kvCacheFormat}`,
      );
      line.flag("--cache-type-k", type);
      line.flag("--cache-type-v", type);
    }
    if (choices.role !== "both") line.refuse("pools.role", "llama.cpp hands no KV cache over to another server");
    splitOver(choices, line);
    line.flag("--threads", choices.hostThreads);
    const offload = offloadWords(choices.offloadFlags, "llama.cpp", line);
    if (!offload.some((word) => /^(?:-ngl|--gpu-layers|--n-gpu-layers)$/.test(word)))
      line.flag("--n-gpu-layers", allLayers);
    line.words.push(...offload);
    return { words: line.words, environment: {}, files: [], needs: {}, refused: line.refused };
  },
};

/** How a model is split over the devices of a machine. */
function splitOver({ mapping, nodes, sparesDevices }: LaunchChoices, line: Line): void {
  const { tp, cp, dp, pp, ep, edp } = mapping;
  for (const [key, degree] of Object.entries({ cp, dp, ep, edp }))
    if (degree > 1) line.refuse(`parallel.${key}`, "llama.cpp splits layers or rows of matrices over devices, no more");
  if (nodes > 1) line.refuse("parallel", "llama.cpp is started on one machine");
  if (tp > 1 && pp > 1) line.refuse("parallel.tp", "llama.cpp splits layers or rows over devices, not both");
  if (pp > 1) {
    line.flag("--split-mode", "layer");
    line.flag("--tensor-split", Array.from({ length: pp }, () => 1).join(","));
  } else if (tp > 1) {
    line.flag("--split-mode", "row");
    line.flag("--tensor-split", Array.from({ length: tp }, () => 1).join(","));
  } else if (sparesDevices) line.flag("--split-mode", "none");
}
