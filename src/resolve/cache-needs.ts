import { refuse } from "../core/errors.ts";
import type { CachePolicy } from "../policy/cache/expert-cache.ts";
import { fillsLayers } from "../policy/cache/static-choice.ts";
import { layerMapOf, refusedDepth } from "./layer-map.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** Refuses a cache policy that needs what its scope or the routing does not have. */
export function checkCacheNeeds(
  { scenario, source, model, layerMap }: PolicySetting,
  policy: CachePolicy,
  parameters: Readonly<Record<string, unknown>>,
): void {
  const { name, needs } = policy;
  const section = scenario.policy.offload!;
  const refused = (key: string, expected: string, found: unknown, hint?: string): never =>
    refuse({
      ...scenario.place(["policy", "offload", key]),
      at: `policy.offload.${key}`,
      expected,
      found,
      ...(hint === undefined ? {} : { hint }),
    });
  if (section.scope === "layer" && needs.includes("layers"))
    refused("scope", `global: ${name} ranks the experts of all layers against one another`, section.scope);
  const { choose } = parameters;
  if (section.scope === "layer" && fillsLayers(choose))
    refused("scope", `global: ${String(choose)} fills one layer after another`, section.scope);
  const repeated =
    policy.matchesLayers?.(parameters) === true && source !== null
      ? refusedDepth(layerMapOf(layerMap, source.replayed, model))
      : null;
  if (repeated !== null)
    refused(
      "kind",
      repeated.expected,
      repeated.found,
      "finemoe and moe-infinity (variant paper) alone match layers with one another",
    );
  if (!needs.includes("weights") || source === null || source.replayed.weights !== undefined) return;
  refused(
    "kind",
    `routing with the weights of the chosen experts, which ${name} needs`,
    scenario.routing.kind === "trace" && scenario.routing.transforms.length > 0
      ? "routing.transforms, which leave none that the model gave"
      : `none in ${source.replayed.origin.name}`,
    "weights are recorded by `moecast capture`; synthesised routing has none",
  );
}
