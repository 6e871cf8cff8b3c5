import { describe, expect, test } from "vitest";
import { nodeNamed } from "../../src/hardware/named-profiles.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { singleDevice } from "../sim/build.ts";
import { activeBytes, decodeKernelsNs, formatsIn, readingNs, withBandwidth, withoutLaunches } from "./decode-step.ts";

/** One of each kind of device that no kernel was measured on; all systems, models and formats are in the deep test. */
describe.each(["mac-m2-ultra", "mi300x-8", "xeon-amx-2s"])("one sequence decoding on %s", (system) => {
  const node = nodeNamed(system);
  const { device } = node;
  /** Processors reach 38 % of their memory's bandwidth on published decode rates (efficiency preset `cpu`). */
  const most = device.kind === "cpu" ? 3 : 2;

  test("reads its weights once and takes at most twice that, processors three times, launches apart; half the bits are never slower", () => {
    for (const id of ["mixtral-8x7b", "gpt-oss-120b"]) {
      const model = modelNamed(id);
      let wider = Number.POSITIVE_INFINITY;
      for (const format of ["bf16", "int8", "int4"] as const) {
        const formats = formatsIn(model, format);
        const decode = { node, engine: "vllm", model, formats, mapping: singleDevice };
        const ns = decodeKernelsNs(decode);
        const least = readingNs(decode, device);
        expect(ns).toBeGreaterThan(least);
        expect(ns).toBeLessThanOrEqual(wider);
        wider = ns;
        if (activeBytes(decode) > 2e9)
          expect(decodeKernelsNs(decode, withoutLaunches(node)), `${id} ${format}`).toBeLessThan(most * least);
        expect(decodeKernelsNs(decode, withBandwidth(node, 2))).toBeLessThan(ns);
      }
    }
  });
});
