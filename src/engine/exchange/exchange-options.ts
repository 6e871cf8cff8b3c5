import type { Problem } from "../../core/errors.ts";
import type { EngineProfile } from "../engine-profile.ts";

/** Values of options that name a way of exchanging. Those of an engine that are not here have no figures. */
export const all2allBackends = [
  "naive",
  "allgather_reducescatter",
  "deepep_high_throughput",
  "deepep_low_latency",
  "flashinfer_all2allv",
  "flashinfer_nvlink_two_sided",
  "flashinfer_nvlink_one_sided",
] as const;
export const moeA2aBackends = ["none", "deepep"] as const;
export const deepepModes = ["auto", "normal", "low_latency"] as const;
export const alltoallMethods = [
  "NotEnabled",
  "MNNVL",
  "NVLinkOneSided",
  "NVLinkTwoSided",
  "DeepEP",
  "DeepEPLowLatency",
] as const;

/**
 * Options on the exchange with experts, by the engines' own names: flags and environment variables in camel case, the
 * latter without the engine's name. No engine has all of them.
 */
export interface ExchangeOptions {
  readonly all2allBackend?: (typeof all2allBackends)[number] | undefined;
  readonly enableDbo?: boolean | undefined;
  readonly dboDecodeTokenThreshold?: number | undefined;
  readonly dboPrefillTokenThreshold?: number | undefined;
  readonly moeA2aBackend?: (typeof moeA2aBackends)[number] | undefined;
  readonly deepepMode?: (typeof deepepModes)[number] | undefined;
  readonly deepepNumMaxDispatchTokensPerRank?: number | undefined;
  readonly enableTwoBatchOverlap?: boolean | undefined;
  readonly enableSingleBatchOverlap?: boolean | undefined;
  readonly forceAlltoallMethod?: (typeof alltoallMethods)[number] | undefined;
}

/** The deployment that an exchange is chosen for. */
export interface ExchangeSite {
  readonly version: string | undefined;
  /** Devices of a stage. They hold the experts. */
  readonly ranks: number;
  readonly expertRanks: number;
  readonly devicesPerNode: number;
  /** Devices of one NVLink domain: of a node, or of a rack; 1 where devices have no NVLink. */
  readonly nvlinkDomain: number;
  readonly deviceName: string;
  /** CUDA compute capability; null where it is not known. */
  readonly computeCapability: number | null;
  readonly topK: number;
}

/** What options make of an engine. */
export type ExchangeFeatures = Partial<
  Pick<
    EngineProfile,
    | "expertExchange"
    | "dispatchTokensMax"
    | "overlapsBatches"
    | "halvedAbove"
    | "halfBatchOrder"
    | "overlapsCombine"
    | "sentExperts"
    | "capturesGraphs"
  >
>;

export interface ExchangeChoice {
  /** Empty where the profile of the engine decides. */
  readonly features: ExchangeFeatures;
  /** The option that names the way of exchanging. */
  readonly key: keyof ExchangeOptions;
  /** What was chosen, in the words of the ledger. */
  readonly words: string;
  /** Tokens of a device that the engine cannot exceed in a step: in steps that only decode, and in all. */
  readonly stepTokensMax?: { readonly decodes: number; readonly prompts: number };
  /** What the engine refuses; `at` is an option. */
  readonly problems: readonly Problem[];
}

/** How one engine chooses. */
export interface ExchangeChooser {
  /** The options that it has. */
  readonly keys: readonly (keyof ExchangeOptions)[];
  choose(options: ExchangeOptions, site: ExchangeSite): ExchangeChoice;
}

/** What an engine says of options that need another one beside them. */
export function needing(
  options: ExchangeOptions,
  keys: readonly (keyof ExchangeOptions)[],
  expected: string,
): Problem[] {
  return keys
    .filter((key) => options[key] !== undefined && options[key] !== false)
    .map((key) => ({ at: key, expected, found: options[key] }));
}

/** A problem of kernels that only reach devices of one NVLink domain. */
export function beyondNvlink(at: keyof ExchangeOptions, found: string, site: ExchangeSite): Problem[] {
  if (site.ranks <= site.nvlinkDomain) return [];
  return [
    {
      at,
      expected: `another one: ${site.ranks} devices are more than the ${site.nvlinkDomain} of an NVLink domain`,
      found,
    },
  ];
}
