import type { ConfigReader } from "../config-reader.ts";
import { type TensorClass, tensorClasses } from "../spec.ts";
import { integerBits, integerLayout, type Layout, usual } from "./layout.ts";
import { ModulePatterns } from "./patterns.ts";
import { readGroup, readWhole } from "./read-parts.ts";
import type { Scheme } from "./tool.ts";
import { refuseUnknown } from "./unknown-keys.ts";

/** Group size and bits of each mode where a file does not state them (mlx.nn.quantize). */
const modes = {
  affine: { group: 64, bits: 4 },
  mxfp4: { group: 32, bits: 4 },
  nvfp4: { group: 16, bits: 4 },
  mxfp8: { group: 32, bits: 8 },
} as const;

interface Shape {
  readonly mode: keyof typeof modes;
  readonly bits: number;
  readonly group: number;
}

/** A module with keys of its own has nothing of the general ones: MLX passes it these alone. */
function readShape(config: ConfigReader): Shape {
  const named = config.text(["mode"]);
  if (named !== null && !Object.hasOwn(modes, named)) config.problem("mode", Object.keys(modes).join(", "), named);
  const mode = named !== null && Object.hasOwn(modes, named) ? (named as Shape["mode"]) : "affine";
  return {
    mode,
    bits: readWhole(config, ["bits"], 1, 32) ?? modes[mode].bits,
    group: readGroup(config, ["group_size"], modes[mode].group) ?? modes[mode].group,
  };
}

/** Weights alone are quantised. Affine groups have a scale and a bias, in the 16 bits of the model's dtype. */
function layoutOf(config: ConfigReader, { mode, bits, group }: Shape): Layout | null {
  if (mode === "affine") {
    const layout = integerLayout({ bits, group, activations: "a16", bitsPerGroup: 32 });
    if (layout === null) config.problem("bits", `one of ${integerBits.join(", ")}`, bits);
    return layout;
  }
  if (bits !== modes[mode].bits) config.problem("bits", `${modes[mode].bits} in mode ${mode}`, bits);
  if (group !== modes[mode].group) config.problem("group_size", `${modes[mode].group} in mode ${mode}`, group);
  if (mode === "mxfp8") return { format: "fp8_a16", bitsPerValue: usual("mxfp8").bitsPerValue };
  return usual(mode === "nvfp4" ? "nvfp4_a16" : "mxfp4_a16");
}

/** Keys by which other tools are known that once wrote no method. */
const foreign = /^(?:quant_|sym$|desc_act$|damp|zero_point$|version$|checkpoint_format$|w_bit$|q_group_size$)/;

/** Whether an object reads as MLX's `quantization`: bits stand at its top, and nothing of another tool. */
export function isMlx(config: ConfigReader): boolean {
  return config.raw("bits") !== undefined && !config.keys().some((key) => foreign.test(key));
}

/**
 * MLX quantises every product and the embedding, routers too. Modules with keys of their own stand beside the general ones:
 * an object with bits, or false for none.
 */
export function readMlx(config: ConfigReader): Scheme {
  const layout = layoutOf(config, readShape(config));
  const given = config.unasked();
  const unread = new Set(given.map(({ key }) => key));
  const named = given.flatMap(({ key, value }) => {
    if (value === true) {
      config.raw(key);
      return [{ text: key, syntax: "name", value: layout } as const];
    }
    if (typeof value !== "object" || Array.isArray(value)) return [];
    const module = config.nested(key);
    if (module === null) return [];
    const own = layoutOf(module, readShape(module));
    refuseUnknown(module);
    return [{ text: key, syntax: "name", value: own } as const];
  });
  const left = config
    .keys()
    .filter((key) => !unread.has(key) && config.raw(key) === false)
    .map((text) => ({ text, syntax: "name", value: null }) as const);
  refuseUnknown(config);
  config.assume(
    "quantised by MLX, in a layout that other engines do not load: forecast as if they loaded as many bits",
  );
  const classes = new Set<TensorClass>(tensorClasses.filter((name) => name !== "norm"));
  return { layout, classes, named: new ModulePatterns<Layout | null>([...named, ...left]), kv: null };
}
