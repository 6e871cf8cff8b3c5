import { refuse } from "../../core/errors.ts";
import { type ExpertMatrix, expertMatrices } from "./expert-parts.ts";
import type { ExpertShape } from "./offload-flags.ts";

/** Tensors of a layer beside its routed experts. */
const otherTensors = (layer: number): string[] =>
  [
    "attn_norm",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_output",
    "attn_q_a",
    "attn_kv_a_mqa",
    "ffn_norm",
    "ffn_gate_inp",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
    "ffn_gate_shexp",
    "ffn_up_shexp",
    "ffn_down_shexp",
  ].map((name) => `blk.${layer}.${name}.weight`);

/** One `pattern=buffer` of `--override-tensor`. */
export interface Override {
  readonly text: string;
  readonly pattern: RegExp;
  readonly toHost: boolean;
}

/** `pattern=buffer` items, joined by commas. Buffers of the host begin with CPU. */
export function overridesOf(value: string): Override[] {
  return value.split(/,(?=[^=,]+=)/).map((text) => {
    const at = text.lastIndexOf("=");
    if (at < 1) refuse({ expected: "pattern=buffer, such as ffn_.*_exps=CPU", found: text });
    return { text, pattern: patternOf(text.slice(0, at)), toHost: /^cpu/i.test(text.slice(at + 1)) };
  });
}

function patternOf(source: string): RegExp {
  // A repetition of what repeats can take for ever.
  if (source.length > 500 || /[+*}][^()|]*\)[+*{]/.test(source))
    refuse({ expected: "a simple regular expression", found: source });
  try {
    return new RegExp(source);
  } catch {
    return refuse({ expected: "a regular expression", found: source });
  }
}

/**
 * [MoE layers] matrices of experts that lie in host memory: where an override says so, and where none matches, by what other
 * flags say of the layer. Throws for a pattern that matches nothing, and for one that moves anything but routed experts.
 */
export function matricesOnHost(
  overrides: readonly Override[],
  /** Whether other flags have the experts of a layer in host memory, and all of it. */
  otherwise: { readonly experts: (layer: number) => boolean; readonly all: (layer: number) => boolean },
  { moeLayers, layers, matrices }: ExpertShape,
): (readonly ExpertMatrix[])[] {
  const used = new Set<Override>();
  const matching = (tensor: string): Override | undefined => {
    const found = overrides.find(({ pattern }) => pattern.test(tensor));
    if (found !== undefined) used.add(found);
    return found;
  };
  const fused = isFused(overrides, moeLayers);
  const onHost = moeLayers.map((layer) =>
    expertMatrices
      .filter((matrix) => matrices === 3 || matrix !== "gate")
      .filter((matrix) => {
        const name = fused && matrix !== "down" ? "gate_up" : matrix;
        const found = matching(expertTensor(layer, name));
        if (found?.toHost === false && otherwise.all(layer))
          refuse({
            expected: `experts of layer ${layer} on the host, to which -ngl leaves the rest of it`,
            found: found.text,
          });
        return found?.toHost ?? otherwise.experts(layer);
      }),
  );
  for (let layer = 0; layer < layers; layer++)
    for (const tensor of otherTensors(layer)) {
      const found = matching(tensor);
      if (found !== undefined && found.toHost !== otherwise.all(layer))
        refuse({
          expected: `a pattern for routed experts alone (ffn_*_exps): all else of layer ${layer} is computed ${otherwise.all(layer) ? "on the host, by -ngl" : "on devices"}`,
          found: found.text,
        });
    }
  for (const override of overrides)
    if (!used.has(override)) refuse({ expected: "a pattern that matches a tensor of the model", found: override.text });
  return onHost;
}

const expertTensor = (layer: number, matrix: ExpertMatrix | "gate_up"): string =>
  `blk.${layer}.ffn_${matrix}_exps.weight`;

/** Whether the model's file has gate and up as one tensor: an override names that one and neither of the two. */
function isFused(overrides: readonly Override[], moeLayers: readonly number[]): boolean {
  const matches = ({ pattern }: Override, matrix: ExpertMatrix | "gate_up"): boolean =>
    moeLayers.some((layer) => pattern.test(expertTensor(layer, matrix)));
  const apart = overrides.find((one) => !matches(one, "gate_up") && (matches(one, "gate") || matches(one, "up")));
  const fused = overrides.find((one) => matches(one, "gate_up") && !matches(one, "gate") && !matches(one, "up"));
  if (apart !== undefined && fused !== undefined)
    refuse({
      expected: "tensors of one file, which has ffn_gate_up_exps, or ffn_gate_exps and ffn_up_exps",
      found: `${apart.text} and ${fused.text}`,
    });
  return fused !== undefined;
}
