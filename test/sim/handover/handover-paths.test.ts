import { expect, test } from "vitest";
import { routers } from "../../../src/policy/router/routers.ts";
import { undisturbedNs } from "../../../src/sim/handover/kv-path.ts";
import { KvTransfer } from "../../../src/sim/handover/kv-transfer.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { singleDevice, testNode, testRequests, tinyMla, tinyModel } from "../build.ts";
import { sideConfig, sideOf } from "./sides.ts";

const link = (bytesPerSecond: number, latencyNs: number) => ({
  name: "link",
  bytesPerSecond,
  latencyNs,
  efficiency: 0.5,
});
const nodeOf = (bytesPerSecond: number, latencyNs: number) =>
  testNode({ memoryBytes: 1e14, scaleOut: link(bytesPerSecond, latencyNs) });
const latent = tinyModel({ layers: tinyModel().layers.map((layer) => ({ ...layer, attention: tinyMla })) });

test.each([
  ["heads", tinyModel()],
  ["latents", latent],
] as const)("a lone prompt of %s takes the busiest device's bytes over its link, whatever the mappings", (_, model) => {
  for (const [tp, toTp] of [
    [1, 4],
    [4, 1],
    [2, 2],
    [8, 2],
  ] as const)
    for (const [rate, toRate] of [
      [1e8, 1e9],
      [1e9, 1e8],
    ] as const) {
      const requests = testRequests([{ prompt: 500, output: 3 }]);
      const prefill = sideConfig(model, tp, 1, { node: nodeOf(rate, 3000), workload: { kind: "open", requests } });
      const decode = sideConfig(model, toTp, 1, { node: nodeOf(toRate, 7000) });
      const { seed: _seed, workload: _workload, warmupRequests: _warmup, ...pool } = decode;
      const { handover } = simulate({
        ...prefill,
        role: "prefill",
        otherPools: [{ ...pool, role: "decode", mapping: { ...singleDevice, tp: toTp, ep: toTp } }],
        handover: {
          reserves: "afterPrefill",
          transfer: "request",
          firstToken: "handover",
          reservedOutputTokens: 0,
          tokenisesAgain: false,
          localPromptTokens: 0,
          router: routers["round-robin"],
        },
      });
      const transfer = new KvTransfer(sideOf(prefill), sideOf(decode));
      const links = { sending: prefill.node.device.scaleOut!, receiving: decode.node.device.scaleOut! };
      // Half of either rate is reached, and the longer latency counts.
      const [sentNs, receivedNs] = [transfer.sentBytes(500) / rate, transfer.receivedBytes(500) / toRate];
      const aloneNs = 2e9 * Math.max(sentNs, receivedNs) + 7000;
      expect(undisturbedNs({ transfer, links, layers: 4 }, 500)).toBeCloseTo(aloneNs, 3);
      // Events fall on whole nanoseconds.
      expect(Math.abs(handover!.arrivedNs[0]! - handover!.computedNs[0]! - aloneNs)).toBeLessThan(2);
      expect(handover!.bytes).toBeCloseTo(transfer.totalBytes(500), 6);
    }
});
