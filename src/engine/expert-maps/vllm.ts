import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { FlagReader, splitWords } from "../offload-flags/words.ts";
import {
  type ExpertMap,
  type ExpertMapFormat,
  emptySlot,
  type ListedLayer,
  layerOf,
  mapOf,
  ranksOfMap,
} from "./expert-map.ts";
import { wholeOf } from "./json-fields.ts";

/** Keys of `--eplb-config` (vLLM, `EPLBConfig`) that say nothing of where experts are when the engine starts. */
const later = [
  "window_size",
  "step_interval",
  "log_balancedness",
  "log_balancedness_interval",
  "use_async",
  "policy",
  "communicator",
];

/**
 * vLLM takes no file of a map. Its flags state two placements without copies (`--expert-placement-strategy linear` or
 * `round_robin`) and one with: under `--enable-eplb`, redundant expert i begins as a copy of expert i mod E
 * (vllm/distributed/eplb/eplb_state.py). Any other map is refused by name. vLLM takes `linear` in place of `round_robin` without saying
 * so where the router has one group, with EPLB and with redundant experts, so that is refused too.
 */
export const vllm: ExpertMapFormat = {
  name: "vllm",
  taken: "vLLM --expert-placement-strategy, --enable-eplb --eplb-config",
  detects: (text) =>
    /(?:^|\s)--(?:expert-placement-strategy|enable-eplb|eplb-config|num-redundant-experts)\b/.test(text),
  read(text, context) {
    const { file, experts, groups, moeLayers } = context;
    const reader = new FlagReader(splitWords(text));
    const notes: string[] = [];
    let strategy = "linear";
    let balanced = false;
    let redundant = 0;
    for (let flag = reader.next(); flag !== null; flag = reader.next())
      if (flag === "--expert-placement-strategy") {
        strategy = reader.value(flag);
        if (strategy !== "linear" && strategy !== "round_robin")
          refuse({ file, at: flag, expected: "linear or round_robin", found: strategy });
      } else if (flag === "--enable-eplb") balanced = true;
      else if (flag === "--num-redundant-experts" || flag === "--eplb-config.num_redundant_experts")
        redundant = reader.wholeNumber(flag);
      else if (flag === "--eplb-config") redundant = redundantOf(parseJson(reader.value(flag), file), file);
      else notes.push(`not read: ${flag}`);
    if (redundant > 0 && !balanced)
      refuse({ file, at: "--enable-eplb", expected: `it beside ${redundant} redundant experts`, found: "none" });
    if (strategy === "round_robin" && (groups === 1 || balanced))
      refuse({ file, at: "--expert-placement-strategy", expected: `linear: ${roundRobinNeeds}`, found: strategy });
    const ranks = context.ranks;
    if (ranks === null)
      return refuse({
        file,
        at: "ranks",
        expected: "a number of ranks: flags do not state them",
        hint: "give --ranks",
      });
    if (balanced) notes.push("the map at the start: EPLB makes another after a quarter of step_interval");
    if (balanced && (experts + redundant) % ranks !== 0)
      refuse({
        file,
        at: "num_redundant_experts",
        expected: `${experts} experts + redundant to be a multiple of ${ranks} ranks`,
        found: redundant,
      });
    const row = startOf(balanced ? "eplb" : strategy, experts, redundant, ranks);
    const listed = moeLayers.map((_, layer): ListedLayer => ({ at: `layer ${layer}`, experts: row }));
    return mapOf(context, listed, { ranks, twins: true, notes });
  },
  write(map, context) {
    const ranks = ranksOfMap(map, context, "vLLM");
    const { experts, slots } = map;
    const is = (start: string, redundant: number): boolean => isStart(map, startOf(start, experts, redundant, ranks));
    if (is("linear", 0)) return "--enable-expert-parallel --expert-placement-strategy linear\n";
    if (is("round_robin", 0)) {
      if (context.groups > 1) return "--enable-expert-parallel --expert-placement-strategy round_robin\n";
      refuse({ at: "round_robin", expected: `another map: ${roundRobinNeeds}`, found: `${context.groups} group` });
    }
    if (slots > experts && is("eplb", slots - experts))
      return `--enable-expert-parallel --enable-eplb --eplb-config '{"num_redundant_experts": ${slots - experts}}'\n`;
    return refuse({
      expected: "linear, round_robin, or the map that EPLB starts with: vLLM takes no file of any other",
      found: `a map of its own for ${slots} slots`,
      hint: `--enable-eplb --eplb-config '{"num_redundant_experts": ${slots - experts}}' has vLLM make one of its own; sglang, tensorrt-llm and vllm-ascend take this one`,
    });
  },
  apply: (_map, file) => `the flags in ${file}`,
};

const roundRobinNeeds =
  "vLLM keeps round_robin only where the router groups experts, without EPLB and redundant experts, and takes linear otherwise";

function redundantOf(config: Json, file: string): number {
  if (config === null || typeof config !== "object" || Array.isArray(config))
    return refuse({ file, at: "--eplb-config", expected: "an object", found: config });
  const keys = config as Readonly<Record<string, Json>>;
  for (const key of Object.keys(keys))
    if (key !== "num_redundant_experts" && !later.includes(key))
      refuse({
        file,
        at: `--eplb-config.${key}`,
        expected: `one of num_redundant_experts, ${later.join(", ")}`,
        found: key,
      });
  const value = keys["num_redundant_experts"];
  return value === undefined ? 0 : wholeOf(value, { file, at: "--eplb-config.num_redundant_experts" });
}

/** [slots] experts as vLLM places them when it starts, a layer like any other. */
function startOf(start: string, experts: number, redundant: number, ranks: number): number[] {
  if (start === "eplb")
    return Array.from({ length: Math.min(experts + redundant, 0x10000) }, (_, slot) => slot % experts);
  const perRank = Math.ceil(experts / ranks);
  return Array.from({ length: ranks }, (_, rank) => {
    const held =
      start === "round_robin"
        ? Array.from({ length: Math.ceil((experts - rank) / ranks) }, (_one, i) => rank + i * ranks)
        : linearShare(rank, experts, ranks);
    return [...held, ...Array.from({ length: perRank - held.length }, () => emptySlot)];
  }).flat();
}

/** Experts in id order; the first ranks take one more each of a remainder. */
function linearShare(rank: number, experts: number, ranks: number): number[] {
  const [each, more] = [Math.floor(experts / ranks), experts % ranks];
  const from = rank * each + Math.min(rank, more);
  return Array.from({ length: each + (rank < more ? 1 : 0) }, (_, i) => from + i);
}

const isStart = (map: ExpertMap, row: readonly number[]): boolean =>
  row.length === map.slots &&
  Array.from({ length: map.layers }, (_, layer) => layerOf(map, layer)).every((of) =>
    of.every((one, i) => one === row[i]),
  );
