import { integerLayout } from "./layout.ts";
import { readExcluded, readFlag, readGroup } from "./read-parts.ts";
import { products, type QuantisationTool } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Activation-aware weight quantisation: a 16-bit scale per group, and a packed zero point unless told otherwise. */
export const awq: QuantisationTool = {
  methods: ["awq", "awq_marlin"],
  read: (config) => {
    const bits = config.count("formats.bits", ["bits", "w_bit"], { max: 16 });
    const group = readGroup(config, ["group_size", "q_group_size"], 128);
    const zeros = readFlag(config, "zero_point", true);
    const known = bits === 4 || bits === 8;
    if (!known) config.problem("bits", "4 or 8", bits);
    const layout = known
      ? integerLayout({ bits, group, activations: "a16", bitsPerGroup: 16 + (zeros ? bits : 0) })
      : null;
    const excluded = readExcluded([config], ["modules_to_not_convert"]);
    refuseUnknown(config, /^(?:backend|do_fuse|modules_to_fuse|fuse_max_seq_len|exllama_config)$/);
    return { layout, classes: products, excluded, kv: null };
  },
};
