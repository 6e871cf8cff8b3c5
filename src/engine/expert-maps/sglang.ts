import { refuse } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { type ExpertMapFormat, fullLayer, type ListedLayer, mapOf } from "./expert-map.ts";
import { listOf, objectOf } from "./json-fields.ts";

/**
 * SGLang's `--init-expert-location`, as JSON: `physical_to_logical_map` [layers][slots]. Rows are all decoder layers, dense ones
 * included, as models say `num_layers=config.num_hidden_layers` (sgl-project/sglang, python/sglang/srt/eplb/expert_location.py and
 * `get_model_config_for_expert_location` of its models); rows of dense layers are never looked at. A file with a row for each MoE layer
 * alone is what other tools write, and is read too. Ranks are not stated: slots are divided evenly over `--ep-size`.
 */
export const sglang: ExpertMapFormat = {
  name: "sglang",
  taken: "SGLang --init-expert-location FILE.json",
  suffix: ".json",
  detects: (text) => /^\s*\{\s*"(?:physical_to_logical_map|logical_count)"/.test(text),
  read(text, context) {
    const { file, layers, moeLayers } = context;
    const known = ["physical_to_logical_map", "logical_count"];
    const document = objectOf(parseJson(text, file), known, { file, at: "" });
    const found = document["physical_to_logical_map"];
    if (found === undefined && document["logical_count"] !== undefined)
      refuse({
        file,
        at: "logical_count",
        expected:
          "physical_to_logical_map: logical_count is the load of each expert, from which SGLang makes a map when it starts",
        hint: "policy.placement.kind: eplb makes the same map of a routing trace",
      });
    const key = "physical_to_logical_map";
    const rows = listOf(found, { file, at: key });
    // Where both numbers agree there are no dense layers, and both readings are the same.
    const ofAll = rows.length === layers;
    if (!ofAll && rows.length !== moeLayers.length)
      refuse({
        file,
        at: key,
        expected: rowsExpected(layers, moeLayers.length),
        found: `${rows.length} rows`,
        hint: "is it the map of another model?",
      });
    const listed = moeLayers.map((number, layer): ListedLayer => {
      const row = ofAll ? number : layer;
      const at = `${key}[${row}]`;
      const experts = listOf(rows[row] as Json, { file, at });
      const stray = experts.findIndex((expert) => typeof expert !== "number");
      if (stray >= 0) refuse({ file, at: `${at}[${stray}]`, expected: "a whole number", found: experts[stray] });
      return { at, experts: experts.map((expert) => stated(expert as number)) };
    });
    const notes = [
      ...(ofAll || layers === moeLayers.length
        ? []
        : [`a row for each of ${moeLayers.length} MoE layers: SGLang itself expects ${layers}, dense layers included`]),
      ...(document["logical_count"] === undefined ? [] : ["logical_count is not read: SGLang takes the map"]),
    ];
    return mapOf(context, listed, { ranks: null, twins: true, notes });
  },
  write(map, context) {
    const rows = Array.from({ length: context.layers }, (_, number) => {
      const layer = context.moeLayers.indexOf(number);
      // A dense layer has the row that SGLang gives it by itself ("trivial"): expert s mod E in slot s.
      if (layer < 0) return Array.from({ length: map.slots }, (_slot, slot) => slot % map.experts);
      return fullLayer(map, layer, "SGLang's map");
    });
    return `{"physical_to_logical_map": [\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]}\n`;
  },
  apply: (map, file) =>
    `--init-expert-location ${file} --ep-num-redundant-experts ${map.slots - map.experts}${map.ranks === null ? "" : ` --ep-size ${map.ranks}`}`,
};

/** 65535 is this program's mark of an empty slot, and no expert of a file. */
const stated = (expert: number): number => (expert === 0xffff ? Number.POSITIVE_INFINITY : expert);

const rowsExpected = (layers: number, moeLayers: number): string =>
  layers === moeLayers
    ? `a row for each of the model's ${layers} layers`
    : `a row for each of the model's ${layers} layers, or of its ${moeLayers} MoE layers`;
