import { flagDialects } from "../../engine/offload-flags/flag-dialects.ts";
import type { HostSide } from "../../engine/offload-flags/offload-flags.ts";
import { splitWords } from "../../engine/offload-flags/words.ts";
import type { ModelSpec } from "../../models/spec.ts";
import { expertShape } from "../../resolve/offload-flags.ts";
import { shellText } from "./flags-of.ts";

const eighths = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/**
 * Flags for fixed sets from none of the experts to all, in eighths: of the layers, the first ones on the host, where the engine
 * divides layers; of the experts of each layer where it counts them. All else of the layers is on the device. Everything else
 * that the flags say stays.
 */
export function flagSizes(flags: string, model: ModelSpec, engine: string): string[] {
  const dialect = flagDialects[engine]!;
  const shape = expertShape(model);
  const { chosen, host, deviceFrom, deferred, loading } = dialect.read(splitWords(flags), shape);
  const layers = shape.moeLayers.length;
  const sizes = eighths.map((part) => {
    const resident = new Uint8Array(layers * shape.experts);
    if (chosen.kind === "named") resident.fill(1, Math.round((layers * (8 - part)) / 8) * shape.experts);
    else {
      const held = Math.round((shape.experts * part) / 8);
      for (let layer = 0; layer < layers; layer++)
        resident.fill(1, layer * shape.experts, layer * shape.experts + held);
    }
    const words = dialect.write(
      {
        resident,
        hostMatrices: [],
        host: cachesOnly(host),
        deviceFrom,
        deferred,
        ...(loading === undefined ? {} : { loading }),
      },
      shape,
    );
    return shellText(chosen.kind === "named" ? words : withStrategy(words, chosen.strategy));
  });
  return [...new Set(sizes)].filter((text) => text !== "");
}

/** Caches on the host stay there. */
const cachesOnly = (host: HostSide | null): HostSide | null =>
  host?.allCaches === true ? { layers: 0, head: false, allCaches: true } : null;

/** What is written says by frequency, whatever was read. */
const withStrategy = (words: readonly string[], strategy: string): string[] =>
  words.map((word, i) => (words[i - 1] === "--kt-expert-placement-strategy" ? strategy : word));
