import { refuse } from "../../core/errors.ts";
import { type ExpertMapFormat, fullLayer, type ListedLayer, mapOf } from "./expert-map.ts";
import { readPlainYaml } from "./plain-yaml.ts";

const known = ["num_slots", "initial_global_assignments", "layer_updates_per_iter"];

/**
 * TensorRT-LLM's load balancer (NVIDIA/TensorRT-LLM, examples/wide_ep/ep_load_balancer; `MoeLoadBalancerConfig`): under
 * `initial_global_assignments`, by the number of a layer among all decoder layers, the expert of each of `num_slots` slots. Ranks are
 * not stated: slots are divided evenly over `--ep`. With `layer_updates_per_iter` above 0 the engine goes on moving experts.
 */
export const tensorrtLlm: ExpertMapFormat = {
  name: "tensorrt-llm",
  taken: "TensorRT-LLM moe_config.load_balancer: FILE.yaml",
  detects: (text) => /^(?:num_slots|initial_global_assignments|layer_updates_per_iter)\s*:/m.test(text),
  read(text, context) {
    const { file, layers, moeLayers } = context;
    const document = readPlainYaml(text, file);
    for (const key of document.keys())
      if (!known.includes(key)) refuse({ file, at: key, expected: `one of ${known.join(", ")}`, found: key });
    const slots = document.get("num_slots");
    if (typeof slots !== "number" || slots < 1)
      return refuse({ file, at: "num_slots", expected: "a whole number of at least 1", found: slots });
    const updates = document.get("layer_updates_per_iter") ?? 0;
    if (typeof updates !== "number" || updates < 0)
      return refuse({ file, at: "layer_updates_per_iter", expected: "a whole number of at least 0", found: updates });
    const key = "initial_global_assignments";
    const assigned = document.get(key);
    if (assigned === undefined)
      return refuse({
        file,
        at: key,
        expected: "the experts of each slot: without them the file asks for online balancing alone, and states no map",
      });
    if (!(assigned instanceof Map)) return refuse({ file, at: key, expected: "a mapping by layer" });
    const numbers = [...assigned.keys()].map((word) =>
      /^\d{1,6}$/.test(word)
        ? Number(word)
        : refuse({ file, at: `${key}.${word}`, expected: "the number of a layer", found: word }),
    );
    // Numbers from that of the decoder layers on are layers for multi-token prediction.
    const beyond = numbers.filter((number) => number >= layers);
    const stray = numbers.find((number) => number < layers && !moeLayers.includes(number));
    if (stray !== undefined)
      refuse({
        file,
        at: `${key}.${stray}`,
        expected: "an MoE layer of the model",
        found: `layer ${stray}, which is dense`,
      });
    const missing = moeLayers.find((number) => !numbers.includes(number));
    if (missing !== undefined)
      refuse({
        file,
        at: key,
        expected: `each of the model's ${moeLayers.length} MoE layers, numbered among all ${layers}`,
        found: `none for layer ${missing}`,
        hint: "is it the map of another model?",
      });
    const listed = moeLayers.map((number): ListedLayer => {
      const at = `${key}.${number}`;
      const experts: unknown = assigned.get(String(number));
      if (!Array.isArray(experts)) return refuse({ file, at, expected: "a list of experts" });
      if (experts.length !== slots)
        refuse({ file, at, expected: `${slots} slots, as num_slots says`, found: `${experts.length} slots` });
      return { at, experts: experts.map((expert) => (expert === 0xffff ? Number.POSITIVE_INFINITY : expert)) };
    });
    const notes = [
      ...(updates === 0
        ? []
        : [`the map at the start: the engine then moves the experts of ${updates} layers an iteration`]),
      ...(beyond.length === 0
        ? []
        : [`layers beyond the model's ${layers}, for multi-token prediction, are not read: ${beyond.join(", ")}`]),
    ];
    return mapOf(context, listed, { ranks: null, twins: true, notes });
  },
  write(map, context) {
    const rows = context.moeLayers.map(
      (number, layer) => `  ${number}: [${fullLayer(map, layer, "TensorRT-LLM's file").join(", ")}]\n`,
    );
    return `num_slots: ${map.slots}\nlayer_updates_per_iter: 0\ninitial_global_assignments:\n${rows.join("")}`;
  },
  apply: (map, file) =>
    `moe_config: { backend: WideEP, load_balancer: ${file} } with enable_attention_dp: true${map.ranks === null ? "" : ` and --ep ${map.ranks}`}; ignored unless EP > 1`,
};
