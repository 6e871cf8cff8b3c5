import { beforeAll, describe, expect, test } from "vitest";
import type { LoadedBackend } from "../../../src/capture/backends/backend.ts";
import { loadBackend } from "../../../src/capture/backends/backends.ts";
import { openCheckpoint } from "../../../src/capture/checkpoint/open-checkpoint.ts";
import { type CaptureRequest, planCapture } from "../../../src/capture/record/capture-plan.ts";
import { groupSequences } from "../../../src/capture/record/groups.ts";
import { planMemory, totalBytes } from "../../../src/capture/record/memory-plan.ts";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { everyOther } from "../../drawn.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";
import { checkpointFolder, checkpointNames } from "../checkpoints.ts";
import { captureTiny, requestOf, tinySequences } from "./capture-tiny.ts";

const folder = temporaryFolder();
let backend: LoadedBackend;

beforeAll(async () => {
  backend = await loadBackend("wasm");
});

async function planOf(name: string, given: Partial<CaptureRequest>) {
  const checkpoint = await openCheckpoint(checkpointFolder(name));
  try {
    // Copies that the backend makes of matrices are not among the tensors it counts.
    return planCapture(requestOf(checkpoint, { ...backend, id: "counted" }, await tinySequences(name), given));
  } finally {
    await checkpoint.close();
  }
}

/** Most bytes of tensors that capturing a tiny checkpoint holds, and what the plan says. */
async function measured(name: string, given: Partial<CaptureRequest>) {
  const plan = await planOf(name, given);
  const output = folder.path(`${name} ${JSON.stringify(given)}.safetensors`);
  const { peakBytes } = await backend.tf.profile(async () => {
    await captureTiny(backend, name, output, { given });
    return backend.tf.scalar(0);
  });
  return { plan, peakBytes };
}

describe("tensors never take more than the plan says, nor much less", () => {
  test.each(everyOther(checkpointNames))("%s, layer after layer", async (name) => {
    const { plan, peakBytes } = await measured(name, {});
    expect(peakBytes).toBeLessThanOrEqual(plan.memory.tensorBytes);
    expect(peakBytes).toBeGreaterThan(plan.memory.tensorBytes / 2);
  });

  test("in groups of tokens", async () => {
    const { plan, peakBytes } = await measured("mixtral", { memoryBytes: 200_000 });
    expect(plan.memory.layers.map(({ groups }) => groups)).toEqual([3, 3, 1]);
    expect(peakBytes).toBeLessThanOrEqual(plan.memory.tensorBytes);
  });

  test.each(everyOther(checkpointNames))("%s, decoding with all layers in memory", async (name) => {
    const { plan, peakBytes } = await measured(name, { decodeSteps: 3 });
    expect(peakBytes).toBeLessThanOrEqual(totalBytes(plan.decoding!));
    expect(peakBytes).toBeGreaterThan(totalBytes(plan.memory.peak) / 4);
  });
});

describe("the plan", () => {
  test("with less memory puts fewer tokens together, keeps experts between the groups, and reads them again at last", async () => {
    const checkpoint = await openCheckpoint(checkpointFolder("mixtral"));
    await checkpoint.close();
    const { layers, hiddenSize } = checkpoint.plan;
    const starts = Uint32Array.from({ length: 41 }, (_value, s) => s * 30);
    const within = (bytes: number) =>
      planMemory(layers, hiddenSize, starts, { bytes, backendBytes: null, tensorBytesMax: null, matrixCopies: 1 });
    const peakOf = (bytes: number) => totalBytes(within(bytes).peak);
    const first = (bytes: number) => within(bytes).layers[0];
    expect(first(2 ** 30)).toEqual({ groupTokens: 1200, groups: 1, keepsExperts: false });
    const roomy = peakOf(2 ** 30);
    expect(first(roomy)).toMatchObject({ groups: 1 });
    expect(first(roomy - 1)).toEqual({ groupTokens: 600, groups: 2, keepsExperts: true });
    expect(first(175_000)).toMatchObject({ groups: 40, keepsExperts: false });
    for (const bytes of [175_000, 300_000, 500_000]) expect(peakOf(bytes)).toBeLessThanOrEqual(bytes);
    const roomyLimits = { bytes: 2 ** 30, backendBytes: null, tensorBytesMax: null, matrixCopies: 1 };
    const small = () => planMemory(layers, hiddenSize, starts, { ...roomyLimits, backendBytes: 50_000 });
    expect(small).toThrow(/of it are tensors, and the backend holds 48.8 KiB/);
    // No tensor larger than the backend allows: half of the tokens at a time, or nothing at all.
    const { feedForward } = layers[0]!;
    const widest = feedForward.kind === "moe" ? Math.max(hiddenSize, 2 * feedForward.expertWidth) : 0;
    const halves = planMemory(layers, hiddenSize, starts, { ...roomyLimits, tensorBytesMax: 4 * 600 * widest });
    expect(halves.layers[0]).toMatchObject({ groups: 2 });
    const tight = () => planMemory(layers, hiddenSize, starts, { ...roomyLimits, tensorBytesMax: 1000 });
    expect(tight).toThrow(/one tensor takes .* KiB, and the backend allows 1,000 B/);
  });

  test("that does not fit is refused with the sum", async () => {
    const refused = planOf("mixtral", { memoryBytes: 10_000 });
    await expect(refused).rejects.toThrow(InfeasibleError);
    await expect(refused).rejects.toThrow(
      /layer 0 does not fit .*\n.* weights \+ .* states \+ .* = .*, but --memory allows 9.77 KiB/,
    );
    await expect(planOf("mixtral", { memoryBytes: 200_000, decodeSteps: 4 })).rejects.toThrow(
      /decoding needs the whole model in memory: .* = .*but --memory allows/s,
    );
  });
});

test("groups are whole sequences, each once, and larger than the limit only where one sequence is", () => {
  const starts = Uint32Array.of(0, 4, 6, 20, 21, 25);
  expect(groupSequences(starts, 6)).toEqual([
    { from: 0, to: 2 },
    { from: 2, to: 3 },
    { from: 3, to: 5 },
  ]);
  expect(groupSequences(starts, 25)).toEqual([{ from: 0, to: 5 }]);
});
