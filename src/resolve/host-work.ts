import { refuse } from "../core/errors.ts";
import type { FlaggedSplit } from "../engine/offload-flags/offload-flags.ts";
import type { HostWork, PoolConfig } from "../sim/config.ts";
import { devicesOf } from "../sim/mapping.ts";
import { hostTier } from "../sim/offload/offload-tiers.ts";
import type { LedgerEntry } from "../sim/result.ts";

type Pool = Omit<PoolConfig, "routing" | "placement" | "offload">;

/** Layers and caches that flags leave to the host, of a pool that can have them; undefined where they leave it none. */
export function hostWorkOf({ host, deviceFrom }: FlaggedSplit, pool: Pool, flags: string): HostWork | undefined {
  if (host === null) return undefined;
  const { model, node, mapping, replicas, speculation, role = "both" } = pool;
  const refused = (what: string, found: unknown = flags): never =>
    refuse({ expected: `all layers and their cache on the device, as -ngl 99 asks: ${what}`, found });
  if (hostTier(node) === undefined || node.device.hostLink === null)
    refused(`${node.device.name} has the host's memory as its own`);
  const devices = devicesOf(mapping);
  if (devices > 1) refused(`with layers on the host one device is simulated, not ${devices}`);
  if (replicas > 1) refused(`${replicas} replicas that share the host's processors are not simulated with it`);
  if (role !== "both") refused("a cache in host memory is not handed over between pools");
  if (speculation !== null) refused("drafts beside layers on the host are not simulated");
  const layers = model.layers.filter((_, layer) => host.allCaches || layer < host.layers);
  const other = layers.find(
    ({ attention }) =>
      attention.kind === "linear" ||
      (attention.kind === "mla" && (attention.indexer !== null || attention.compressed !== undefined)),
  );
  if (other !== undefined)
    refused(`${other.attention.kind === "linear" ? "linear" : "sparse latent"} attention on the host is not simulated`);
  return { ...host, deviceFrom };
}

/** The first layers, counted. */
export const layersInWords = (layers: number): string =>
  layers === 1 ? "the first layer" : `the first ${layers} layers`;

/** What the ledger says of them. */
export function hostWorkEntry({ layers, head, allCaches, deviceFrom }: HostWork): LedgerEntry {
  const what = [
    ...(layers === 0
      ? []
      : [
          `${layersInWords(layers)} with ${layers === 1 ? "its cache" : "their caches"}${head ? ", and the head" : ""}`,
        ]),
    ...(allCaches ? [`caches and scores of all ${layers === 0 ? "layers" : "others"}`] : []),
  ].join(", and ");
  const copied =
    layers === 0 || deviceFrom === null
      ? ""
      : `; for steps of ${deviceFrom} tokens and more the device copies the weights of these layers and multiplies, and scores stay`;
  return {
    topic: "layers on the host",
    fidelity: "assumed",
    detail: `${what}: timed by the processors' bandwidth and arithmetic as their experts are, of attention no kernel was measured${copied}; their time is not in the use of processors, memory and link; the input embedding is counted on the device`,
  };
}
