import type { SimConfig } from "../../sim/config.ts";
import { devicesOf } from "../../sim/mapping.ts";

/**
 * What a deployment does that none of the served measurements of the validation did, in words: they are replicas of up to
 * `devicesMax` devices with all weights in device memory, one token a step and neither pipeline nor context parallelism.
 */
export function unvalidatedFeatures(config: SimConfig, devicesMax: number): string[] {
  const { mapping, offload, speculation } = config;
  const devices = devicesOf(mapping);
  return [
    ...(offload === null ? [] : ["experts in host memory"]),
    ...(speculation === null ? [] : ["speculative decoding"]),
    ...(mapping.pp > 1 ? ["pipeline parallelism"] : []),
    ...(mapping.cp > 1 ? ["context parallelism"] : []),
    ...(devices > devicesMax ? [`${devices} devices a replica`] : []),
  ];
}
