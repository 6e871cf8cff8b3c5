import { expect, test } from "vitest";
import { fetchFactorMin, withFetches } from "../../../src/calibrate/observed/fetch-speed.ts";
import { transferNs } from "../../../src/hardware/link-transfer.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import { testConfig, testOffload } from "../../sim/build.ts";

const offload = testOffload({ slots: 2, hostBytes: 1e12 });
const config = { ...testConfig({ node: nodeNamed("rtx4090-desktop") }), offload };
const bytes = 1e9;

test("transfers take the factor as long, on the way from the host and out of its memory", () => {
  const { node } = withFetches(config, 1.5);
  const ways = [
    [config.node.device.hostLink!, node.device.hostLink!],
    ...config.node.tiers.map(({ read }, i) => [read, node.tiers[i]!.read]),
  ] as const;
  for (const [before, after] of ways) {
    const free = ({ latencyNs }: { latencyNs: number }) => latencyNs;
    expect((transferNs(after!, bytes) - free(after!)) / (transferNs(before!, bytes) - free(before!))).toBeCloseTo(
      1.5,
      9,
    );
  }
});

test("no transfer is faster than the whole bandwidth of its way", () => {
  const least = fetchFactorMin(config.node);
  for (const factor of [least, least / 10])
    expect(withFetches(config, factor).node.device.hostLink?.efficiency).toBeLessThanOrEqual(1);
  expect(withFetches(config, least / 10)).toEqual(withFetches(config, 1e-9));
});

test("without experts in host memory nothing is changed", () => {
  const resident = { ...config, offload: null };
  expect(withFetches(resident, 2)).toBe(resident);
});
