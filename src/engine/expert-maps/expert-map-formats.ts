import { refuse } from "../../core/errors.ts";
import { exflow } from "./exflow.ts";
import type { ExpertMap, ExpertMapFormat, MapContext } from "./expert-map.ts";
import { sglang } from "./sglang.ts";
import { tensorrtLlm } from "./tensorrt-llm.ts";
import { vllm } from "./vllm.ts";
import { vllmAscend } from "./vllm-ascend.ts";

/** Formats of expert maps by the name that scenarios and commands use. */
export const expertMapFormats = {
  sglang,
  "tensorrt-llm": tensorrtLlm,
  "vllm-ascend": vllmAscend,
  vllm,
  exflow,
} as const satisfies Record<string, ExpertMapFormat>;

export type ExpertMapFormatName = keyof typeof expertMapFormats;

export const expertMapFormatNames = Object.keys(expertMapFormats) as [ExpertMapFormatName, ...ExpertMapFormatName[]];

/** Refuses files that are not read as text, before they are opened. */
export function refusePickle(file: string): void {
  if (/\.(?:pt|pth|pkl|bin)$/i.test(file))
    refuse({
      file,
      expected: "text: a pickle can run code and is not opened",
      hint: `python -c "import json,sys,torch; d=torch.load(sys.argv[1], weights_only=True); json.dump({'physical_to_logical_map': d['physical_to_logical_map'].tolist()}, open(sys.argv[2], 'w'))" ${file} map.json`,
    });
}

/** The map in a text, and the format it was read in. `auto` goes by what the text begins with. */
export function readExpertMap(
  text: string,
  format: ExpertMapFormatName | "auto",
  context: MapContext,
): { readonly map: ExpertMap; readonly format: ExpertMapFormatName } {
  const { file } = context;
  const found = format === "auto" ? expertMapFormatNames.find((name) => expertMapFormats[name].detects(text)) : format;
  if (found === undefined) {
    if (/(?:^|\s)(?:-ot|-ncmoe|-cmoe|--override-tensor|--n-cpu-moe|--cpu-moe|--kt-[\w-]+)\b/.test(text))
      refuse({
        file,
        expected: "experts over ranks",
        found: "flags of llama.cpp or KTransformers, which divide experts between device and host",
        hint: "they are policy.offload.flags of a scenario; moecast offload <scenario> --flags writes them",
      });
    refuse({
      file,
      expected: `a map in one of the formats ${expertMapFormatNames.join(", ")}`,
      found: text.slice(0, 60),
    });
  }
  return { map: expertMapFormats[found].read(text, context), format: found };
}
