import { refuse } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import {
  type ExpertMapFormat,
  emptySlot,
  type ListedLayer,
  layerOf,
  mapOf,
  ranksOfMap,
  slotsMax,
} from "./expert-map.ts";
import { listOf, objectOf, wholeOf } from "./json-fields.ts";

/**
 * The expert map of vLLM's Ascend plug-in (`expert_map_path`): per MoE layer the experts of each device
 * (vllm-project/vllm-ascend, vllm_ascend/eplb/core/eplb_utils.py, `expert_file_to_tensor`). The plug-in goes by the position of a layer
 * among MoE layers and of a device in its list; ids are checked here, since a file that is out of order would be read as another map.
 * It holds one place per expert and device, so a second copy on a device would be lost: refused. Devices with fewer experts than
 * others leave slots empty at their end; older plug-ins read as many on each.
 */
export const vllmAscend: ExpertMapFormat = {
  name: "vllm-ascend",
  taken: "vLLM with vllm-ascend, eplb_config.expert_map_path of --additional-config",
  suffix: ".json",
  detects: (text) => /^\s*\{\s*"(?:moe_layer_count|layer_list)"/.test(text),
  read(text, context) {
    const { file, moeLayers } = context;
    const document = objectOf(parseJson(text, file), ["moe_layer_count", "layer_list"], { file, at: "" });
    const count = wholeOf(document["moe_layer_count"], { file, at: "moe_layer_count" }, 1);
    const list = listOf(document["layer_list"], { file, at: "layer_list" });
    if (count !== moeLayers.length)
      refuse({
        file,
        at: "moe_layer_count",
        expected: `the model's ${moeLayers.length} MoE layers`,
        found: count,
        hint: "is it the map of another model?",
      });
    if (list.length !== count)
      refuse({
        file,
        at: "layer_list",
        expected: `${count} layers, as moe_layer_count says`,
        found: `${list.length} layers`,
      });
    const layers = list.map((value, layer) => devicesOf(value, layer, file));
    const ranks = layers[0]!.length;
    for (const [layer, devices] of layers.entries())
      if (devices.length !== ranks)
        refuse({
          file,
          at: `layer_list[${layer}].device_list`,
          expected: `${ranks} devices, as layer_list[0] has`,
          found: `${devices.length} devices`,
        });
    const perRank = Math.max(...layers.flatMap((devices) => devices.map((experts) => experts.length)));
    if (perRank * ranks > slotsMax)
      refuse({
        file,
        at: "layer_list",
        expected: `at most ${slotsMax} slots`,
        found: `${ranks} devices of ${perRank}`,
      });
    const listed = layers.map(
      (devices, layer): ListedLayer => ({
        at: `layer_list[${layer}]`,
        experts: devices.flatMap((experts) => [
          ...experts,
          ...Array.from({ length: perRank - experts.length }, () => emptySlot),
        ]),
        slotAt: (slot) => deviceAt(layer, Math.floor(slot / perRank), slot % perRank),
      }),
    );
    return mapOf(context, listed, { ranks, twins: false });
  },
  write(map, context) {
    const ranks = ranksOfMap(map, context, "vllm-ascend's map");
    const perRank = map.slots / ranks;
    const layer_list = Array.from({ length: map.layers }, (_, layer) => ({
      layer_id: layer,
      device_count: ranks,
      device_list: Array.from({ length: ranks }, (_rank, rank) => {
        const held = [...layerOf(map, layer).subarray(rank * perRank, (rank + 1) * perRank)].filter(
          (expert) => expert !== emptySlot,
        );
        const twin = held.find((expert, i) => held.indexOf(expert) < i);
        if (twin !== undefined)
          refuse({
            at: `layer ${layer}, rank ${rank}`,
            expected: "each expert at most once on a rank: vllm-ascend holds one place for it",
            found: `expert ${twin} twice`,
            hint: "policy.placement.twins: false makes maps that it can hold",
          });
        return { device_id: rank, device_expert: held };
      }),
    }));
    const lines = layer_list.map((layer) => JSON.stringify(layer)).join(",\n");
    return `{"moe_layer_count": ${map.layers}, "layer_list": [\n${lines}\n]}\n`;
  },
  apply: (map, file) =>
    `--enable-expert-parallel --additional-config '{"eplb_config": {"expert_map_path": "${file}", "num_redundant_experts": ${map.slots - map.experts}}}'`,
};

const deviceAt = (layer: number, device: number, at?: number): string =>
  `layer_list[${layer}].device_list[${device}]${at === undefined ? "" : `.device_expert[${at}]`}`;

/** [devices] experts of each device of a layer. */
function devicesOf(value: Parameters<typeof objectOf>[0], layer: number, file: string): (readonly number[])[] {
  const at = `layer_list[${layer}]`;
  const entry = objectOf(value, ["layer_id", "device_count", "device_list"], { file, at });
  const id = wholeOf(entry["layer_id"], { file, at: `${at}.layer_id` });
  if (id !== layer)
    refuse({ file, at: `${at}.layer_id`, expected: `${layer}, its position among MoE layers`, found: id });
  const devices = listOf(entry["device_list"], { file, at: `${at}.device_list` });
  const count = wholeOf(entry["device_count"], { file, at: `${at}.device_count` }, 1);
  if (devices.length !== count)
    refuse({
      file,
      at: `${at}.device_list`,
      expected: `${count} devices, as device_count says`,
      found: `${devices.length}`,
    });
  return devices.map((one, device) => {
    const place = deviceAt(layer, device);
    const fields = objectOf(one, ["device_id", "device_expert"], { file, at: place });
    const number = wholeOf(fields["device_id"], { file, at: `${place}.device_id` });
    if (number !== device)
      refuse({ file, at: `${place}.device_id`, expected: `${device}, its position in the list`, found: number });
    const experts = listOf(fields["device_expert"], { file, at: `${place}.device_expert` });
    return experts.map((expert, i) => wholeOf(expert, { file, at: deviceAt(layer, device, i) }));
  });
}
