import { CostModel } from "../../../src/hardware/cost.ts";
import { nodeNamed } from "../../../src/hardware/named-profiles.ts";
import type { Op } from "../../../src/hardware/op.ts";
import { modelNamed } from "../../../src/models/catalogue.ts";
import type { Attention, ModelSpec } from "../../../src/models/spec.ts";
import type { AttentionProgram } from "../../../src/sim/step/attention-parts.ts";
import { attentionProgram } from "../../../src/sim/step/attention-program.ts";
import { attentionWindows } from "../../../src/sim/step/attention-windows.ts";
import { addChunk, emptyBatch, type RankBatch } from "../../../src/sim/step/batch.ts";
import { layerClasses } from "../../../src/sim/step/stage-plan.ts";

export interface TimedLayer {
  readonly name: string;
  readonly attention: Attention;
  readonly cost: CostModel;
  readonly program: AttentionProgram;
  /** Time of prompts, each [cached tokens, new tokens], beside `decodes` sequences of `context` tokens; ns. */
  readonly ns: LayerTime;
  /** What of it comes before scores. */
  readonly prepareNs: LayerTime;
  /** What of it products take, and the same counted one by one while `ns` is computed. */
  readonly productsNs: LayerTime;
  readonly countedProductsNs: LayerTime;
}

type LayerTime = (prompts: readonly (readonly [number, number])[], decodes?: number, context?: number) => number;

/** The kinds of token mixing of a model, one rank of `tp`, on a system under an engine. */
export function timedLayers(
  of: string | ModelSpec,
  systemId: string,
  engineId: string,
  tp: number,
  { sparseDenseTokens = 0, mixedDecodeRows = null as number | null } = {},
): readonly TimedLayer[] {
  const node = nodeNamed(systemId);
  const model = typeof of === "string" ? modelNamed(of) : of;
  const cost = new CostModel(node.device, node, engineId);
  const { attention: classes } = layerClasses(model);
  const windows = attentionWindows(classes);
  let counted = 0;
  const counting = {
    device: node.device,
    opNs: (op: Op) => {
      const ns = cost.opNs(op);
      if (op.kind === "gemm" || op.kind === "groupedGemm") counted += ns;
      return ns;
    },
  };
  return classes.map((attention) => {
    const program = attentionProgram(attention, {
      hidden: model.hiddenSize,
      tp,
      weightFormat: model.formats.attention,
      kvFormat: "bf16",
      math: "bf16",
      cost: counting,
      mixedDecodeRows,
      sparseDenseTokens,
      windows,
    });
    const batchOf = (...[prompts, decodes = 0, context = 0]: Parameters<LayerTime>): RankBatch => {
      const batch: RankBatch = emptyBatch(windows.length);
      for (let i = 0; i < decodes; i++) addChunk(batch, windows, context - 1, 1, true);
      for (const [cached, tokens] of prompts) if (tokens > 0) addChunk(batch, windows, cached, tokens, false);
      return batch;
    };
    return {
      name: `${model.id} ${attention.kind} tp${tp} on ${systemId}`,
      attention,
      cost,
      program,
      ns: (...batch) => program.ns(batchOf(...batch)),
      prepareNs: (...batch) => program.prepareNs(batchOf(...batch)),
      productsNs: (...batch) => program.productsNs(batchOf(...batch)),
      countedProductsNs: (...batch) => {
        counted = 0;
        program.ns(batchOf(...batch));
        return counted;
      },
    };
  });
}

/** The layers of a kind. */
export function layersOf(kind: Attention["kind"], ...of: Parameters<typeof timedLayers>): readonly TimedLayer[] {
  return timedLayers(...of).filter(({ attention }) => attention.kind === kind);
}
