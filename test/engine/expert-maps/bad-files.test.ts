import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { emptySlot, type MapContext } from "../../../src/engine/expert-maps/expert-map.ts";
import {
  expertMapFormatNames,
  expertMapFormats,
  readExpertMap,
  refusePickle,
} from "../../../src/engine/expert-maps/expert-map-formats.ts";
import { drawn } from "../../drawn.ts";

const context: MapContext = { file: "map", layers: 3, moeLayers: [1, 2], experts: 4, groups: 1, ranks: 2 };

const p2l = (rows: unknown) => JSON.stringify({ physical_to_logical_map: rows });
const yaml = (slots: unknown, one: unknown, two: unknown = "[0, 1, 2, 3]") =>
  `num_slots: ${slots}\ninitial_global_assignments:\n  1: ${one}\n  2: ${two}\n`;
const device = (id: number, experts: unknown) => ({ device_id: id, device_expert: experts });
const ascend = (part: object = {}, devices: unknown[] = [device(0, [0, 1]), device(1, [2, 3])]) =>
  JSON.stringify({
    moe_layer_count: 2,
    layer_list: [0, 1].map((layer_id) => ({ layer_id, device_count: devices.length, device_list: devices })),
    ...part,
  });
const csv = (rows: readonly string[]) => `Expert,Node\n${rows.join("\n")}\n`;
const whole = Array.from({ length: 8 }, (_, id) => `${id},${id % 2}`);
const good = [0, 1, 2, 3];

/** [what is wrong, text, what the message says] */
const cases: readonly (readonly [string, string, RegExp])[] = [
  [
    "an expert is missing",
    p2l([good, [0, 1, 2, 2], good]),
    /physical_to_logical_map\[1\]: expected a slot for each of 4 experts, found "none for expert 3"/,
  ],
  [
    "an expert beyond the last",
    p2l([good, [0, 1, 2, 4], good]),
    /map\[1\]\[3\]: expected an expert from 0 to 3, found 4/,
  ],
  ["a negative expert", p2l([good, [0, 1, 2, -1], good]), /map\[1\]\[3\]: expected an expert from 0 to 3, found -1/],
  [
    "the mark of an empty slot",
    p2l([good, [0, 1, 2, 3, 0, emptySlot], good]),
    /map\[1\]\[5\]: expected an expert from 0 to 3/,
  ],
  ["a fraction", p2l([good, [0, 1, 2, 2.5], good]), /map\[1\]\[3\].*found 2.5/],
  ["text for a number", p2l([good, [0, 1, 2, "3"], good]), /map\[1\]\[3\]: expected a whole number, found "3"/],
  ["null for a number", p2l([good, [0, 1, 2, null], good]), /map\[1\]\[3\]: expected a whole number, found null/],
  ["NaN", '{"physical_to_logical_map": [[0,1,2,3],[0,1,2,NaN],[0,1,2,3]]}', /valid JSON/],
  ["a number that overflows", '{"physical_to_logical_map": [[0,1,2,3],[0,1,2,1e999],[0,1,2,3]]}', /a finite number/],
  [
    "slots that ranks do not divide",
    p2l([good, [...good, 0], [...good, 1]]),
    /slots that 2 ranks divide, found "5 slots"/,
  ],
  [
    "layers of unequal slots",
    p2l([good, good, [...good, 0, 1]]),
    /map\[2\]: expected 4 slots, as physical_to_logical_map\[1\] has/,
  ],
  [
    "another number of layers",
    p2l([good, good, good, good]),
    /a row for each of the model's 3 layers, or of its 2 MoE layers, found "4 rows" \(is it/,
  ],
  ["no layers", p2l([]), /found "0 rows"/],
  ["no list", p2l(3), /physical_to_logical_map: expected a list, found 3/],
  [
    "an unknown key",
    '{"physical_to_logical_map": [], "version": 2}',
    /version: expected one of physical_to_logical_map, logical_count/,
  ],
  ["a cut file", '{"physical_to_logical_map": [[0,1', /valid JSON/],
  ["a prototype key", '{"physical_to_logical_map": [], "__proto__": 1}', /ordinary key/],
  [
    "other slots than num_slots",
    yaml(6, "[0, 1, 2, 3]"),
    /initial_global_assignments.1: expected 6 slots, as num_slots says, found "4 slots"/,
  ],
  ["a huge num_slots", yaml(999999999, "[0, 1, 2, 3]"), /999999999 slots, as num_slots says/],
  ["a negative num_slots", yaml(-4, "[0, 1, 2, 3]"), /num_slots: expected a whole number of at least 1, found -4/],
  ["a fraction of YAML", yaml(4, "[0, 1, 2, 3.5]"), /map:3: expected a whole number, found "3.5"/],
  ["YAML's not a number", yaml(4, "[0, 1, 2, .nan]"), /map:3: expected a whole number, found ".nan"/],
  [
    "a dense layer",
    `${yaml(4, "[0, 1, 2, 3]")}  0: [0, 1, 2, 3]\n`,
    /an MoE layer of the model, found "layer 0, which is dense"/,
  ],
  ["a layer is missing", "num_slots: 4\ninitial_global_assignments:\n  1: [0, 1, 2, 3]\n", /found "none for layer 2"/],
  ["a layer twice", `${yaml(4, "[0, 1, 2, 3]")}  1: [0, 1, 2, 3]\n`, /map:5: expected each key once, found 1 again/],
  [
    "an expert missing in YAML",
    yaml(4, "[0, 1, 2, 2]"),
    /initial_global_assignments.1: expected a slot for each of 4 experts/,
  ],
  [
    "a list that does not end",
    "num_slots: 4\ninitial_global_assignments:\n  1: [0, 1\n",
    /map:\d: expected a closing bracket, found "the end of the file"/,
  ],
  ["an alias", "num_slots: &a 4\ninitial_global_assignments: *a\n", /map:1: expected a whole number, found "&a 4"/],
  ["a tag that runs code", "num_slots: !!python/object/apply:os.system [x]\n", /map:1: expected a whole number/],
  ["an unknown key of YAML", "num_slots: 4\nslots: 3\n", /slots: expected one of num_slots/],
  [
    "other layers than moe_layer_count",
    ascend({ moe_layer_count: 3 }),
    /moe_layer_count: expected the model's 2 MoE layers, found 3/,
  ],
  [
    "devices that are not counted",
    ascend({ layer_list: [{ layer_id: 0, device_count: 9, device_list: [] }, {}] }),
    /layer_list\[0\].device_list: expected 9 devices/,
  ],
  [
    "layers out of order",
    ascend().replace('"layer_id":1', '"layer_id":0'),
    /layer_list\[1\].layer_id: expected 1, its position/,
  ],
  [
    "devices out of order",
    ascend({}, [device(1, [0, 1]), device(0, [2, 3])]),
    /device_list\[0\].device_id: expected 0/,
  ],
  [
    "a twin on a device",
    ascend({}, [device(0, [0, 1, 0]), device(1, [2, 3, 1])]),
    /device_list\[0\].device_expert\[2\]: expected each expert at most once on a rank/,
  ],
  [
    "an unknown expert of a device",
    ascend({}, [device(0, [0, 1]), device(1, [2, 7])]),
    /device_list\[1\].device_expert\[1\]: expected an expert from 0 to 3, found 7/,
  ],
  [
    "other ranks than the deployment",
    ascend({}, [device(0, [0, 1]), device(1, [2]), device(2, [3])]),
    /the deployment's 2 ranks, found "3 ranks"/,
  ],
  ["an unknown rank", csv(["0,2", ...whole.slice(1)]), /map:2: expected a node below 2, found 2/],
  ["an expert twice", csv([...whole, "3,0"]), /map:10: expected each expert once, found "expert 3 again"/],
  ["an expert missing in CSV", csv(whole.slice(0, 7)), /found "none for expert 7"/],
  ["an expert of another model", csv([...whole, "8,0"]), /map:10: expected an expert below 2 layers x 4, found 8/],
  ["text in CSV", csv(["a,b"]), /map:2: expected two whole numbers/],
  [
    "redundant experts without EPLB",
    "--eplb-config '{\"num_redundant_experts\": 2}'",
    /--enable-eplb: expected it beside 2/,
  ],
  [
    "redundant experts that ranks do not divide",
    "--enable-eplb --num-redundant-experts 1",
    /a multiple of 2 ranks, found 1/,
  ],
  ["endless redundant experts", "--enable-eplb --num-redundant-experts 900000000", /at most 65535 slots/],
  ["an unknown strategy", "--expert-placement-strategy best", /linear or round_robin, found "best"/],
  [
    "an unknown key of EPLB",
    "--enable-eplb --eplb-config '{\"windows\": 2}'",
    /--eplb-config.windows: expected one of/,
  ],
  ["flags that divide device and host", "--n-cpu-moe 3", /policy.offload.flags/],
  ["nothing", "", /a map in one of the formats sglang/],
];

test.each(cases)("%s", (_what, text, message) => {
  const reading = () => readExpertMap(text, "auto", context);
  expect(reading).toThrow(InvalidInputError);
  expect(reading).toThrow(message);
});

test("pickles are not opened, and the message has the line that converts them", () => {
  expect(() => refusePickle("eplb.pt")).toThrow(/eplb\.pt: expected text: a pickle.*torch\.load/);
  refusePickle("eplb.json");
});

describe("anything else", () => {
  const pieces = [
    "0",
    "3",
    "-1",
    "1e9",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    " ",
    "\n",
    "- ",
    '"',
    "num_slots",
    "physical_to_logical_map",
    "initial_global_assignments",
    "layer_list",
    "moe_layer_count",
    "device_list",
    "Expert,Node",
    "--enable-eplb",
    "null",
    "#",
    "'",
  ];

  test("is a map or one list of problems, in every format", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { maxLength: 60 }),
        fc.constantFrom(...expertMapFormatNames),
        (parts, name) => {
          try {
            expertMapFormats[name].read(parts.join(""), context);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError);
          }
        },
      ),
      { numRuns: drawn(1000) },
    );
  });

  test("deep nesting and long lists end quickly", () => {
    for (const text of [
      `num_slots: ${"[".repeat(100_000)}`,
      `num_slots: ${"{a: ".repeat(100_000)}`,
      `${"-".repeat(100_000)}`,
    ])
      expect(() => expertMapFormats["tensorrt-llm"].read(text, context)).toThrow(InvalidInputError);
    const slots = 60_000;
    const list = Array.from({ length: slots }, (_, i) => `  - ${i % 4}`).join("\n");
    const text = `num_slots: ${slots}\ninitial_global_assignments:\n  1:\n${list}\n  2:\n${list}\n`;
    expect(expertMapFormats["tensorrt-llm"].read(text, context).slots).toBe(slots);
  });
});
