import type { StorageFormat } from "../core/dtype.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import { exchangeLibrary } from "../engine/exchange/expert-exchange.ts";
import { hasOwnKernels } from "../hardware/cost/context.ts";
import { exchangeFamilies, exchangeMap } from "../hardware/cost/exchange.ts";
import type { Device } from "../hardware/device.ts";
import { type ChosenMap, chooseMap, type KernelFamily, kernelFamilies } from "../hardware/kernel-maps.ts";
import type { PoolConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** Kernels in the words of the ledger. */
const words = {
  gemm: "dense products",
  groupedGemm: "routed experts",
  sentExpertsContiguous: "routed experts of prompts, sent their tokens",
  sentExpertsMasked: "routed experts of decodes, sent their tokens",
  attentionPrefill: "prefill attention",
  attentionDecode: "decode attention",
  latentPrefill: "latent prefill attention",
  latentDecode: "latent decode attention",
  allReduce: "all-reduce",
  allGather: "all-gather",
  reduceScatter: "reduce-scatter",
  allToAll: "all-to-all",
  dispatchLowLatency: "low-latency dispatch",
  combineLowLatency: "low-latency combine",
  dispatchNormal: "dispatch",
  combineNormal: "combine",
} as const satisfies Record<KernelFamily, string>;

/** Formats that a deployment needs maps of a family for. */
function formatsOf(family: KernelFamily, { formats, kvFormat }: Formats): readonly (StorageFormat | null)[] {
  switch (family) {
    case "gemm":
      return [...new Set([formats.attention, formats.dense, formats.shared, formats.head])];
    case "groupedGemm":
    case "sentExpertsContiguous":
    case "sentExpertsMasked":
      return [formats.experts];
    case "attentionPrefill":
    case "attentionDecode":
    case "latentPrefill":
    case "latentDecode":
      return [kvFormat];
    default:
      return [null];
  }
}

const libraryFamilies: ReadonlySet<KernelFamily> = new Set(
  Object.values(exchangeFamilies).flatMap((byMode) => Object.values(byMode)),
);

/** The map in force for a family; null where there is none, undefined where the engine does not run such kernels. */
function mapInForce(
  device: Device,
  engine: EngineProfile,
  family: KernelFamily,
  format: StorageFormat | null,
): ChosenMap | null | undefined {
  if (family === "sentExpertsContiguous" || family === "sentExpertsMasked")
    if (engine.sentExperts !== true) return undefined;
  if (!libraryFamilies.has(family)) return chooseMap(device.kernels, family, engine.id, format);
  const library = exchangeLibrary(engine.expertExchange);
  if (library === null) return undefined;
  const map = exchangeMap(device, library, family);
  return map === null ? null : { map, sameEngine: true, sameFormat: true, sameWidth: true };
}

type Formats = Pick<PoolConfig, "formats" | "kvFormat">;

/**
 * Kernels by what times them: maps measured on the device itself; maps of a relative, another engine or another format;
 * the roofline of the data sheet.
 */
export function kernelLedger(device: Device, engine: EngineProfile, formats: Formats): LedgerEntry[] {
  const topic = "kernels";
  const own = ownKernelsLedger(device, engine);
  if (device.kernels === undefined)
    return [
      { topic, fidelity: "assumed", detail: `${device.name}: rooflines with the efficiencies of its profile` },
      ...own,
    ];
  const fitted: string[] = [];
  const substituted: string[] = [];
  const unmapped: string[] = [];
  for (const family of kernelFamilies)
    for (const format of formatsOf(family, formats)) {
      if (family === "attentionPrefill" && engine.ownKernels !== undefined && hasOwnKernels(device)) continue;
      const chosen = mapInForce(device, engine, family, format);
      if (chosen === undefined) continue;
      const name = format === null ? words[family] : `${words[family]} ${format}`;
      if (chosen === null) {
        if (!unmapped.includes(words[family])) unmapped.push(words[family]);
        continue;
      }
      const { map, sameEngine, sameFormat } = chosen;
      const stand = [
        ...(map.from === undefined ? [] : [map.from]),
        ...(sameEngine ? [] : [map.engine ?? ""]),
        ...(sameFormat ? [] : [map.format ?? ""]),
      ];
      if (stand.length === 0) fitted.push(name);
      else substituted.push(`${name} as ${stand.join(" ")}`);
    }
  const entry = (fidelity: LedgerEntry["fidelity"], what: string, names: readonly string[]): LedgerEntry[] =>
    names.length === 0 ? [] : [{ topic, fidelity, detail: `${what}: ${names.join(", ")}` }];
  return [
    ...entry("fitted", `maps of kernels measured on ${device.name}`, fitted),
    ...entry("assumed", "maps of kernels measured elsewhere", substituted),
    ...entry("assumed", "rooflines with the efficiencies of the profile", unmapped),
    ...own,
  ];
}

/** What an engine's own kernels on prompts rest on; that others stand in for them where they were not measured. */
function ownKernelsLedger(device: Device, { ownKernels, name }: EngineProfile): LedgerEntry[] {
  if (ownKernels === undefined || device.kind !== "gpu") return [];
  const topic = "kernels on prompts";
  const { integerCompute, attentionCompute, devices } = ownKernels;
  if (!hasOwnKernels(device))
    return [
      {
        topic,
        fidelity: "assumed",
        detail: `those of ${name} were not measured on ${device.name}, others stand in: where they were (${devices.join(", ")}), others gave a third to three times the rate`,
      },
    ];
  const figures = `${name}'s own: products of 8-bit integers at ${integerCompute} of the peak, attention at ${attentionCompute}`;
  return devices.includes(device.id)
    ? [{ topic, fidelity: "fitted", detail: `${figures}; fitted here` }]
    : [{ topic, fidelity: "assumed", detail: `${figures}; fitted on ${devices.join(" and ")}` }];
}
