import { expect, test } from "vitest";
import type { LoadedBackend } from "../../../src/capture/backends/backend.ts";
import { explainLiveFailure, refuseLargeExperts } from "../../../src/capture/live/live-memory.ts";
import { InfeasibleError, UsageError } from "../../../src/core/errors.ts";

const backendOf = (tensorBytesMax: number | null) => ({ id: "webgpu", tensorBytesMax }) as LoadedBackend;
const shape = { hidden: 4096, width: 16_384, experts: 8 };

test("experts with a matrix larger than a tensor may be are refused, others are not", () => {
  const bytes = 4 * 4096 * 2 * 16_384;
  expect(() => refuseLargeExperts("validate --live", backendOf(bytes - 1), shape)).toThrow(InfeasibleError);
  expect(() => refuseLargeExperts("validate --live", backendOf(bytes - 1), shape)).toThrow(
    /4096 x 16384 takes 512 MiB in float32, but a tensor of webgpu at most 512 MiB: lower --shape/,
  );
  refuseLargeExperts("validate --live", backendOf(bytes), shape);
  refuseLargeExperts("validate --live", backendOf(null), shape);
});

test("memory that ran out says what to lower; other errors stay what they are", () => {
  const explain = (error: unknown) => explainLiveFailure("validate --live", error, "lower --slots");
  for (const said of ["webgpu: Out of memory", "OOM when allocating tensor", "Array buffer allocation failed"]) {
    const explained = explain(new Error(said));
    expect(explained).toBeInstanceOf(InfeasibleError);
    expect((explained as Error).message).toBe(`validate --live: out of memory (${said}): lower --slots`);
  }
  for (const error of [new Error("webgpu: device lost"), new UsageError("out of memory"), "out of memory"])
    expect(explain(error)).toBe(error);
});
