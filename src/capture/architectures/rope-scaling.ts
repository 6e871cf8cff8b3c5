import type { ConfigReader } from "../../models/config-reader.ts";
import { readFlag, readNumber } from "./config-values.ts";

/** What a scaling makes of the rotary embedding that a model was first trained with. */
export interface ScaledRope {
  readonly inverseFrequencies: Float64Array;
  /** Factor on cosine and sine. */
  readonly magnitude: number;
  /** Factor on the attention scores that DeepSeek's attention adds for YaRN. */
  readonly scoreFactor: number;
}

export interface UnscaledRope {
  readonly inverseFrequencies: Float64Array;
  readonly theta: number;
  readonly contextTokensMax: number;
}

type Scaling = (reader: ConfigReader, unscaled: UnscaledRope) => ScaledRope;

/** Scalings by `rope_type`, as in transformers' modeling_rope_utils. Those that depend on the sequence's length are left out. */
export const ropeScalings: Readonly<Record<string, Scaling>> = {
  default: (_reader, { inverseFrequencies }) => ({ inverseFrequencies, magnitude: 1, scoreFactor: 1 }),
  linear: (reader, { inverseFrequencies }) => {
    const factor = readNumber(reader, ["factor"], { min: 1 });
    return { inverseFrequencies: inverseFrequencies.map((value) => value / factor), magnitude: 1, scoreFactor: 1 };
  },
  llama3,
  yarn,
};

/** Llama 3.1: long wavelengths are stretched by the factor, short ones kept, those between interpolated. */
function llama3(reader: ConfigReader, { inverseFrequencies }: UnscaledRope): ScaledRope {
  const factor = readNumber(reader, ["factor"], { min: 1 });
  const low = readNumber(reader, ["low_freq_factor"]);
  const high = readNumber(reader, ["high_freq_factor"]);
  const original = readNumber(reader, ["original_max_position_embeddings"]);
  if (high <= low) reader.problem("high_freq_factor", `more than low_freq_factor ${low}`, high);
  const scaled = inverseFrequencies.map((value) => {
    const turns = (original * value) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return kept * value + ((1 - kept) * value) / factor;
  });
  return { inverseFrequencies: scaled, magnitude: 1, scoreFactor: 1 };
}

/**
 * YaRN (arXiv 2309.00071): pairs that turn often within the original context keep their frequency, those that turn
 * rarely are slowed by the factor, with a linear ramp between. DeepSeek's `mscale` splits the temperature between
 * cosine and sine (`magnitude`) and the scores (`scoreFactor`).
 */
function yarn(reader: ConfigReader, { inverseFrequencies, theta, contextTokensMax }: UnscaledRope): ScaledRope {
  const factor = readNumber(reader, ["factor"], { min: 1 });
  const original = readNumber(reader, ["original_max_position_embeddings"], { fallback: contextTokensMax });
  const mostTurns = readNumber(reader, ["beta_fast"], { fallback: 32 });
  const leastTurns = readNumber(reader, ["beta_slow"], { fallback: 1 });
  const mscale = readNumber(reader, ["mscale"], { min: 0, fallback: 0 });
  const mscaleAllDim = readNumber(reader, ["mscale_all_dim"], { min: 0, fallback: 0 });
  const truncate = readFlag(reader, "truncate", true);
  const temperature = (weight: number) => 0.1 * weight * Math.log(factor) + 1;
  const bySplit = mscale > 0 && mscaleAllDim > 0;
  const magnitude = bySplit ? temperature(mscale) / temperature(mscaleAllDim) : temperature(1);

  const dims = 2 * inverseFrequencies.length;
  // Where in the head the pair lies that makes so many turns within the original context.
  const dimOf = (turns: number) => (dims * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(0, truncate ? Math.floor(dimOf(mostTurns)) : dimOf(mostTurns));
  const high = Math.min(dims - 1, truncate ? Math.ceil(dimOf(leastTurns)) : dimOf(leastTurns));
  const width = low === high ? 0.001 : high - low;
  const scaled = inverseFrequencies.map((value, pair) => {
    const slowed = Math.min(1, Math.max(0, (pair - low) / width));
    return (1 - slowed) * value + (slowed * value) / factor;
  });
  return {
    inverseFrequencies: scaled,
    magnitude: readNumber(reader, ["attention_factor"], { min: 0, fallback: magnitude }),
    scoreFactor: mscaleAllDim > 0 ? temperature(mscaleAllDim) * temperature(mscaleAllDim) : 1,
  };
}
