import type { ConfigReader } from "./config-reader.ts";
import { bailingDelta, gatedDeltaNet, kimiDelta } from "./delta-attention.ts";
import type { Family } from "./families.ts";
import { lightning } from "./lightning-attention.ts";
import { shortConvolution } from "./short-convolution.ts";
import type { LinearAttention } from "./spec.ts";
import { mamba1, mamba2 } from "./state-space.ts";

/** The mixer of the layers whose state does not grow with the context; null where the family defines none. */
export function linearAttention(reader: ConfigReader, family: Family, hiddenSize: number): LinearAttention | null {
  switch (family.mixer) {
    case "delta-net":
      return gatedDeltaNet(reader, hiddenSize);
    case "kimi-delta":
      return kimiDelta(reader, hiddenSize);
    case "mamba1":
      return mamba1(reader, hiddenSize);
    case "mamba2":
      return mamba2(reader, family, hiddenSize);
    case "lightning":
      // Ling 3 is of the class of Ring 2.5 and has another mixer.
      if (reader.raw("short_conv_kernel_size") !== undefined) return bailingDelta(reader, hiddenSize);
      return lightning(reader, family, hiddenSize);
    case "short-convolution":
      return shortConvolution(reader, hiddenSize);
    case null:
      reader.problem("layer_types", "no linear_attention: this model_type has no linear mixer");
      return null;
  }
}
