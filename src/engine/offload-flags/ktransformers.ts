import { refuse } from "../../core/errors.ts";
import type { FlagDialect } from "./offload-flags.ts";
import { FlagReader } from "./words.ts";

const strategies = ["uniform", "frequency", "front-loading", "random"];

/**
 * KTransformers, a backend of SGLang: so many experts of each layer on the device, by a strategy, the others on the host's
 * processors (kvcache-ai/ktransformers, doc/en/kt-kernel/experts-sched-Tutorial.md). From a number of prompt tokens on the device
 * computes whole layers. With dynamic updates the set is chosen anew after each such prompt.
 */
export const ktransformers: FlagDialect = {
  engine: "ktransformers",
  read(words, { experts }) {
    const reader = new FlagReader(words);
    const unread: string[] = [];
    let perLayer: number | null = null;
    let strategy = "uniform";
    let deviceFrom: number | null = null;
    let deferred = 0;
    let chosenAnew = false;
    for (let flag = reader.next(); flag !== null; flag = reader.next())
      switch (flag) {
        case "--kt-num-gpu-experts":
          perLayer = reader.wholeNumber(flag);
          if (perLayer > experts)
            refuse({ expected: `at most the ${experts} experts of a layer behind ${flag}`, found: perLayer });
          break;
        case "--kt-gpu-experts-ratio": {
          const ratio = Number(reader.value(flag));
          if (!(ratio >= 0 && ratio <= 1)) refuse({ expected: `a share from 0 to 1 behind ${flag}`, found: ratio });
          perLayer = Math.floor(ratio * experts);
          break;
        }
        case "--kt-expert-placement-strategy":
          strategy = reader.value(flag);
          if (!strategies.includes(strategy))
            refuse({ expected: `${flag} of ${strategies.join(", ")}`, found: strategy });
          break;
        case "--kt-gpu-prefill-token-threshold": {
          const tokens = reader.wholeNumber(flag);
          deviceFrom = tokens === 0 ? null : tokens;
          break;
        }
        case "--kt-max-deferred-experts-per-token":
          deferred = reader.wholeNumber(flag);
          break;
        case "--kt-enable-dynamic-expert-update":
          chosenAnew = true;
          break;
        default:
          unread.push(flag);
      }
    if (chosenAnew && deviceFrom === null)
      refuse({
        expected: "--kt-gpu-prefill-token-threshold beside --kt-enable-dynamic-expert-update",
        found: words.join(" "),
      });
    if (perLayer === null)
      refuse({ expected: "--kt-num-gpu-experts or --kt-gpu-experts-ratio", found: words.join(" ") });
    return { chosen: { kind: "counted", perLayer, strategy, chosenAnew }, host: null, deviceFrom, deferred, unread };
  },
  write({ resident, host, deviceFrom, deferred }, { moeLayers, experts }) {
    if (host !== null)
      refuse({
        expected: "layers and caches on the device: KTransformers leaves experts alone to the host",
        found: "some on the host",
      });
    const held = moeLayers.map((_, layer) =>
      resident.subarray(layer * experts, (layer + 1) * experts).reduce((sum, one) => sum + one, 0),
    );
    const [perLayer = 0] = held;
    if (held.some((count) => count !== perLayer))
      refuse({
        expected: "as many experts in every layer: --kt-num-gpu-experts counts per layer",
        found: held.join(", "),
      });
    return [
      "--kt-num-gpu-experts",
      String(perLayer),
      "--kt-expert-placement-strategy",
      "frequency",
      ...(deviceFrom === null ? [] : ["--kt-gpu-prefill-token-threshold", String(deviceFrom)]),
      ...(deferred === 0 ? [] : ["--kt-max-deferred-experts-per-token", String(deferred)]),
    ];
  },
};
