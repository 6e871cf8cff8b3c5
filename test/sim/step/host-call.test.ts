import { expect, test } from "vitest";
import type { EngineOffload } from "../../../src/engine/engine-profile.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import type { FeedForwardProgram } from "../../../src/sim/step/feed-forward-program.ts";
import { HostExpertTime } from "../../../src/sim/step/host-expert-time.ts";
import { layerPrograms } from "../../../src/sim/step/layer-programs.ts";
import { singleDevice, testConfig, testEngine } from "../build.ts";

const node = nodeNamed("rtx4090-xeon-2s");
const offload = (hostCallNs: number): EngineOffload => ({
  cache: false,
  static: ["experts"],
  hostCompute: true,
  hostCallNs,
  besideDevices: true,
  devicePromptTokens: null,
  deferredExpertsMax: 0,
});

function timed(config: ReturnType<typeof testConfig>) {
  const { feedForward } = layerPrograms(config);
  const program = feedForward.find(({ kind }) => kind === "moe") as FeedForwardProgram & { readonly kind: "moe" };
  return { time: new HostExpertTime(config), program };
}

const configOf = (engine = testEngine(), of = node) => testConfig({ node: of, engine, mapping: singleDevice });

test("an engine's hand-over is paid once at the beginning of a call, whatever its experts", () => {
  const { time, program } = timed(configOf());
  const { time: handed } = timed(configOf(testEngine({ offload: offload(75_000) })));
  for (const tokens of [1, 64]) {
    expect(handed.beginNs(program, tokens) - time.beginNs(program, tokens)).toBeCloseTo(75_000, 6);
    expect(handed.endNs(program, tokens)).toBe(time.endNs(program, tokens));
    expect(handed.expertNs(program, tokens)).toBe(time.expertNs(program, tokens));
  }
});

test("a core less of few is slower, one of many is not: memory bounds a token", () => {
  const withCores = (cores: number) => {
    const host = { count: 2, device: { ...node.host!.device, cores } };
    const { time, program } = timed(configOf(testEngine(), { ...node, host }));
    return time.expertNs(program, 1);
  };
  // 2 x 5 cores at 25 GB/s read 250 GB/s; the kernels reach 233.
  expect(withCores(5)).toBe(withCores(32));
  expect(withCores(2) / withCores(1)).toBeCloseTo(0.5, 1);
});
