import { CostModel } from "../../../src/hardware/cost.ts";
import type { ModelSpec } from "../../../src/models/spec.ts";
import type { PoolConfig, SimConfig } from "../../../src/sim/config.ts";
import { keptLayers } from "../../../src/sim/handover/kept-layers.ts";
import type { KvSide } from "../../../src/sim/handover/kv-transfer.ts";
import { kvShards } from "../../../src/sim/mapping.ts";
import type { AttentionProgram } from "../../../src/sim/step/attention-parts.ts";
import { attentionProgram } from "../../../src/sim/step/attention-program.ts";
import { attentionWindows } from "../../../src/sim/step/attention-windows.ts";
import { ServedKernels } from "../../../src/sim/step/served-kernels.ts";
import { layerClasses } from "../../../src/sim/step/stage-plan.ts";
import { singleDevice, testConfig, testNode } from "../build.ts";

/** A deployment of `model` on `tp` x `pp` devices of ample memory. */
export function sideConfig(model: ModelSpec, tp: number, pp: number, overrides: Partial<SimConfig> = {}): SimConfig {
  const mapping = { ...singleDevice, tp, pp, ep: tp };
  return testConfig({
    model,
    mapping,
    node: testNode({ memoryBytes: 1e14 }),
    routing: { kind: "uniform" },
    ...overrides,
  });
}

export function programsOf({ model, mapping, formats, kvFormat, node }: PoolConfig): AttentionProgram[] {
  const { attention } = layerClasses(model);
  return attention.map((spec) =>
    attentionProgram(spec, {
      hidden: model.hiddenSize,
      tp: mapping.tp,
      weightFormat: formats.attention,
      kvFormat,
      math: "bf16",
      cost: new ServedKernels(new CostModel(node.device, node)),
      mixedDecodeRows: null,
      sparseDenseTokens: 0,
      windows: attentionWindows(attention),
    }),
  );
}

export function sideOf(config: SimConfig, draftAttention: readonly AttentionProgram[] = []): KvSide {
  const { tp, cp, pp } = config.mapping;
  return { tp, cp, shards: kvShards(config), pp, layers: keptLayers(config, programsOf(config), draftAttention) };
}
