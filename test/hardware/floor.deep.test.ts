import { describe, expect, test } from "vitest";
import { type StorageFormat, storageFormats } from "../../src/core/dtype.ts";
import { engineIds } from "../../src/engine/catalogue.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { mathFor } from "../../src/hardware/math-format.ts";
import { deviceIds, deviceNamed } from "../../src/hardware/named-profiles.ts";
import type { Op } from "../../src/hardware/op.ts";

const formats = Object.keys(storageFormats) as StorageFormat[];
const tokens = [1, 3, 17, 128, 1000, 20_000];

function* products(math: (format: StorageFormat) => ReturnType<typeof mathFor>): Generator<Op> {
  for (const weightFormat of formats)
    for (const rows of tokens)
      for (const inputWidth of [128, 2048, 16_384])
        for (const outputWidth of [64, 4096, 150_000])
          yield { kind: "gemm", tokens: rows, inputWidth, outputWidth, weightFormat, math: math(weightFormat) };
}

function* experts(math: (format: StorageFormat) => ReturnType<typeof mathFor>): Generator<Op> {
  for (const weightFormat of formats)
    for (const distinctExperts of [1, 8, 256])
      for (const perExpert of tokens)
        for (const shardWidth of [32, 768, 14_336])
          for (const hidden of [1024, 7168])
            for (const others of [1, 16])
              yield {
                kind: "groupedGemm",
                pairs: distinctExperts * perExpert,
                distinctExperts,
                presentedPairs: distinctExperts * perExpert * others,
                parametersPerExpert: 3 * hidden * shardWidth,
                shardWidth,
                valuesPerPair: 2 * hidden + 3 * shardWidth,
                weightFormat,
                math: math(weightFormat),
              };
}

function* attention(): Generator<Op> {
  for (const latent of [false, true])
    for (const cacheFormat of ["bf16", "fp8"] as const)
      for (const sequences of [1, 16, 512])
        for (const queries of [1, 4, 512, 8192])
          for (const cached of [0, 1000, 200_000]) {
            const values = latent ? 576 : 2 * 2 * 128;
            yield {
              kind: queries < 16 ? "attentionDecode" : "attentionPrefill",
              sequences,
              queryTokens: sequences * queries,
              scorePairs: sequences * queries * (cached + (queries + 1) / 2),
              cacheTokens: sequences * (cached + queries),
              heads: 16,
              kvHeads: latent ? 1 : 2,
              latent,
              widthPerPair: latent ? 1088 : 256,
              cacheBytesPerToken: (values * storageFormats[cacheFormat].bitsPerValue) / 8,
              cacheFormat,
              math: "bf16",
            };
          }
}

function* transfers(): Generator<Op> {
  yield { kind: "elementwise", bytes: 1e6 };
  for (const bytes of [1e3, 1e6, 1e9]) {
    yield { kind: "copy", link: "hostToDevice", bytes };
    for (const ranks of [2, 8])
      for (const kind of ["allReduce", "allGather", "reduceScatter", "allToAll"] as const)
        yield { kind, bytes, ranks, ranksPerNode: 8 };
  }
  for (const kind of ["dispatch", "combine"] as const)
    for (const library of ["deepep", "nvlink"] as const)
      for (const mode of ["lowLatency", "normal"] as const)
        for (const rows of [1, 128, 8192])
          for (const ranks of [4, 8]) {
            const shape = { hidden: 7168, topK: 8, experts: 256, ranksPerNode: 8, bytesPerValue: 2 };
            yield { kind, library, mode, tokens: rows, ranks, ...shape };
          }
}

describe.each(deviceIds)("%s", (id) => {
  const device = deviceNamed(id);
  const math = (format: StorageFormat) => mathFor(device, format, format);
  const linked = device.scaleUp !== null || device.hostLink !== null;

  test("no operation takes less than its bytes and FLOPs at the peaks, by a map or by a roofline", () => {
    for (const engine of engineIds) {
      const model = new CostModel(device, { device, devicesPerNode: 8, tiers: [] }, engine);
      for (const ops of [products(math), experts(math), attention(), ...(linked ? [transfers()] : [])])
        for (const op of ops) {
          const floor = model.floorNs(op);
          const ns = model.opNs(op);
          if (!(ns >= floor * (1 - 1e-12))) expect.fail(`${engine}: ${ns} < ${floor} for ${JSON.stringify(op)}`);
        }
    }
  });
});
