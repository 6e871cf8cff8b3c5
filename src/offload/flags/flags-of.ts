import { refuse } from "../../core/errors.ts";
import { flagDialects } from "../../engine/offload-flags/flag-dialects.ts";
import type { HostSide } from "../../engine/offload-flags/offload-flags.ts";
import { createScopedCache } from "../../policy/cache/cache-scope.ts";
import { expertShape } from "../../resolve/offload-flags.ts";
import type { SimConfig } from "../../sim/config.ts";
import { slotsOf } from "../../sim/offload/build-offloads.ts";

/**
 * The flags that give an engine the fixed set of experts of a deployment. Throws InvalidInputError where the set is not fixed,
 * where several ranks share it out, or where the engine cannot be told of it.
 */
export function flagsOf(config: SimConfig): string[] {
  const { engine, offload } = config;
  const dialect = flagDialects[engine.id];
  if (dialect === undefined)
    refuse({
      at: "engine.id",
      expected: `an engine whose flags are known: ${Object.keys(flagDialects).join(", ")}`,
      found: engine.id,
    });
  if (offload === null || offload.policy.name !== "static")
    refuse({
      at: "policy.offload.kind",
      expected: `static: ${engine.name} takes a fixed set of experts`,
      found: offload === null ? "no offload" : offload.policy.name,
    });
  if (config.mapping.ep * config.mapping.pp > 1)
    refuse({ at: "parallel", expected: "all experts of a layer on one rank", found: "several" });
  const { policy, values } = offload.miss ?? { policy: { name: "fetch" }, values: {} };
  if (policy.name !== "host" && policy.name !== "deferral")
    refuse({
      at: "policy.offload.miss.kind",
      expected: `host or deferral: ${engine.name} has the host compute what is not on the device`,
      found: policy.name,
    });
  const numbers = values as { readonly deviceFrom?: number; readonly experts?: number };
  return dialect.write(
    {
      resident: residentsOf(config),
      host: hostOf(config),
      hostMatrices: offload.parts?.map((parts) => parts?.host ?? []) ?? [],
      deviceFrom: numbers.deviceFrom ?? null,
      deferred: policy.name === "deferral" ? (numbers.experts ?? 0) : 0,
    },
    expertShape(config.model),
  );
}

function hostOf({ host }: SimConfig): HostSide | null {
  return host === undefined ? null : { layers: host.layers, head: host.head, allCaches: host.allCaches };
}

/** [MoE layers x experts] 1: in the fixed set. */
function residentsOf({ offload, routing }: SimConfig): Uint8Array {
  if (offload === null || routing.kind !== "replay") return new Uint8Array();
  const { experts } = routing.table;
  const { layerMap } = routing;
  const popularity = Float64Array.from({ length: layerMap.length * experts }, (_, key) => {
    const layer = layerMap[Math.floor(key / experts)]!;
    return offload.popularity?.[layer * experts + (key % experts)] ?? 0;
  });
  const cache = createScopedCache(offload.policy, offload.scope, {
    layers: layerMap.length,
    expertsPerLayer: experts,
    ...slotsOf(offload),
    popularity,
    future: null,
  });
  return Uint8Array.from(popularity, (_, key) => (cache.contains(key) ? 1 : 0));
}

/** Words as a shell takes them. */
export const shellText = (words: readonly string[]): string =>
  words.map((word) => (/^[\w./=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
