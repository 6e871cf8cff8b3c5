import { describe, expect, test } from "vitest";
import { storedBytes } from "../../src/core/dtype.ts";
import { latencyStats } from "../../src/forecast/latency-stats.ts";
import { throughputOf } from "../../src/forecast/throughput.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { fakeRun } from "../forecast/fake-run.ts";
import { decodeStepMs, layouts, models, vllmAscend } from "./ascend-decode.ts";

/** Tables 5 to 7 of arXiv 2505.21411, sequences of 2,048 tokens: TTFT of prefill or TPOT of decode, and the rate a card. */
const rows = [
  { name: "800I A2, Pangu Pro MoE", phase: "prefill", batch: 2, ms: 424.21, perCard: 4828, cards: 2 },
  { name: "800I A2, 32B dense", phase: "prefill", batch: 2, ms: 604.07, perCard: 3390, cards: 2 },
  { name: "800I A2, 72B dense", phase: "prefill", batch: 2, ms: 1282.94, perCard: 1596, cards: 2 },
  { name: "800I A2, Pangu Pro MoE", phase: "decode", batch: 1, ms: 18.44, perCard: 14, cards: 4 },
  { name: "800I A2, Pangu Pro MoE", phase: "decode", batch: 456, ms: 99.31, perCard: 1148, cards: 4 },
  { name: "800I A2, Pangu Pro MoE with MTP", phase: "decode", batch: 584, ms: 95.56, perCard: 1528, cards: 4 },
  { name: "800I A2, 32B dense", phase: "decode", batch: 1, ms: 16.26, perCard: 15, cards: 4 },
  { name: "800I A2, 32B dense", phase: "decode", batch: 336, ms: 86.34, perCard: 973, cards: 4 },
  { name: "800I A2, 72B dense", phase: "decode", batch: 1, ms: 26.88, perCard: 9, cards: 4 },
  { name: "800I A2, 72B dense", phase: "decode", batch: 228, ms: 97.74, perCard: 583, cards: 4 },
  { name: "300I Duo, Pangu Pro MoE", phase: "prefill", batch: 2, ms: 1940.3, perCard: 1055, cards: 2 },
  { name: "300I Duo, Pangu Pro MoE", phase: "decode", batch: 80, ms: 99.5, perCard: 201, cards: 4 },
  { name: "300I Duo, Pangu Pro MoE with MTP", phase: "decode", batch: 128, ms: 99.7, perCard: 321, cards: 4 },
] as const;

describe("the published rows of Pangu Pro MoE under our definitions", () => {
  const outputTokens = 100;

  test.each(rows.filter(({ phase }) => phase === "decode"))(
    "decode of $batch on $name: output tokens per second and device are batch / (TPOT x cards)",
    ({ batch, ms, perCard, cards }) => {
      const request = { arrivalMs: 0, ttftMs: ms, e2eMs: outputTokens * ms, outputTokens };
      const run = fakeRun(Array.from({ length: batch }, () => request));
      expect(latencyStats(run, { verdict: "stable" }, null).tpot.mean).toBeCloseTo(ms, 9);
      const rate = throughputOf(run, cards).outputTokensPerSecondPerDevice;
      expect(rate).toBeCloseTo(batch / (ms / 1000) / cards, 6);
      expect(Math.abs(rate - perCard)).toBeLessThan(0.6);
    },
  );

  test.each(rows.filter(({ phase }) => phase === "prefill"))(
    "prefill of $batch on $name: prompt tokens per second and device are batch x 2,048 / (TTFT x cards)",
    ({ batch, ms, perCard, cards }) => {
      const run = fakeRun(
        Array.from({ length: batch }, () => ({ arrivalMs: 0, ttftMs: ms, e2eMs: ms, outputTokens: 1 })),
      );
      run.requests.promptTokens.fill(2048);
      expect(latencyStats(run, { verdict: "stable" }, null).ttft.mean).toBeCloseTo(ms, 9);
      const { totalTokensPerSecond, outputTokensPerSecond } = throughputOf(run, cards);
      expect(Math.abs((totalTokensPerSecond - outputTokensPerSecond) / cards - perCard)).toBeLessThan(0.6);
    },
  );

  test("the largest batch fills four devices of 64 GB with 8-bit weights and a 16-bit cache", () => {
    const weights = storedBytes(parametersOf(models.pangu).total, "int8");
    const cache = 456 * 2048 * 48 * 2 * 8 * 128 * 2;
    expect((weights + cache) / 4 / 64e9).toBeCloseTo(1, 1);
  });
});

describe("decode of Pangu Pro MoE as a forecast", () => {
  const denseRows = [
    { model: models.dense32, batch: 1, ms: 16.26 },
    { model: models.dense32, batch: 336, ms: 86.34 },
    { model: models.dense72, batch: 1, ms: 26.88 },
    { model: models.dense72, batch: 228, ms: 97.74 },
  ].map((row) => {
    // TPOT is affine in the overhead of a kernel.
    const withoutMs = decodeStepMs(row.model, layouts.tensor, row.batch, 0);
    const perNs = (decodeStepMs(row.model, layouts.tensor, row.batch, 10_000) - withoutMs) / 10_000;
    return { ...row, withoutMs, perNs };
  });
  // Least squares of the relative errors of the four dense rows; no row of the MoE model is used.
  const moments = denseRows.reduce(
    (sum, { ms, withoutMs, perNs }) => ({
      cross: sum.cross + (perNs / ms) * (1 - withoutMs / ms),
      square: sum.square + (perNs / ms) ** 2,
    }),
    { cross: 0, square: 0 },
  );
  const kernelOverheadNs = moments.cross / moments.square;

  test("the profile's overhead per kernel is the one that explains the dense models of the same table best", () => {
    expect(Math.abs(vllmAscend.kernelOverheadNs / kernelOverheadNs - 1)).toBeLessThan(0.01);
  });

  test("it explains each of them within 6 %", () => {
    for (const { ms, withoutMs, perNs } of denseRows)
      expect(Math.abs((withoutMs + perNs * vllmAscend.kernelOverheadNs) / ms - 1)).toBeLessThan(0.06);
  });

  test.for([
    { layout: "expert", batch: 1, ms: 18.44 },
    { layout: "expert", batch: 456, ms: 99.31 },
    { layout: "hybrid", batch: 1, ms: 18.44 },
    { layout: "hybrid", batch: 456, ms: 99.31 },
  ] as const)(
    "TPOT of $batch sequences, $layout layout, is within 20 % of $ms ms",
    async ({ layout, batch, ms }, { annotate }) => {
      const forecast = decodeStepMs(models.pangu, layouts[layout], batch);
      await annotate(
        `${layout} batch ${batch}: ${forecast.toFixed(2)} ms, ${(100 * (forecast / ms - 1)).toFixed(1)} %`,
      );
      expect(Math.abs(forecast / ms - 1)).toBeLessThan(0.2);
    },
  );
});
