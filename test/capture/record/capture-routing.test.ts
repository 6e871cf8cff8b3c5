import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { LoadedBackend } from "../../../src/capture/backends/backend.ts";
import { loadBackend } from "../../../src/capture/backends/backends.ts";
import { openRoutingTrace } from "../../../src/trace/container/open-trace.ts";
import { phases } from "../../../src/trace/container/trace-tensors.ts";
import { loadRoutingTable } from "../../../src/trace/load-routing.ts";
import { everyOther } from "../../drawn.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";
import { checkpointNames, expectedOf } from "../checkpoints.ts";
import { captureTiny } from "./capture-tiny.ts";

const folder = temporaryFolder();
let backend: LoadedBackend;

beforeAll(async () => {
  backend = await loadBackend("wasm");
});

/** A trace as it is loaded for replay, and its file. */
async function opened(path: string) {
  const file = await openRoutingTrace(path);
  const table = await loadRoutingTable(file);
  return { file, table };
}

describe.each(everyOther(checkpointNames))("%s", (name) => {
  const path = folder.path(`${name}.safetensors`);

  test("the trace holds what the published model class chooses, row by row", async () => {
    const tensors = backend.tf.memory().numTensors;
    const outcome = await captureTiny(backend, name, path);
    expect(backend.tf.memory().numTensors).toBe(tensors);
    const expected = expectedOf(name);
    const { file, table } = await opened(path);
    expect(outcome).toMatchObject({ complete: true, layersRecorded: expected.routers.length });
    expect([table.domains, [...table.domainStarts]]).toEqual([
      ["known", "random"],
      [0, 24, 92],
    ]);
    expect([...table.sequenceStarts]).toEqual([0, 24, 54, 74, 91, 92]);
    expect([...table.tokens!.subarray(0, 24)]).toEqual(expected.tokens);
    for (const [layer, { ids, weights }] of expected.routers.entries()) {
      expect([...(await file.readLayer(layer, 0, 24))]).toEqual(ids.flat());
      const kept = await file.readWeights(layer, 0, 24);
      const wanted = weights.flat();
      // Half precision: 11 bits.
      for (const [i, weight] of kept.entries()) expect(Math.abs(weight / wanted[i]! - 1)).toBeLessThan(2 ** -11 + 1e-5);
      const scores = await file.readScores(layer, 0, 24);
      expect(scores.length).toBe(24 * file.header.experts);
      expect(Math.min(...scores)).toBeGreaterThanOrEqual(0);
    }
    await file.close();
    expect(existsSync(`${path}.work`)).toBe(false);
  });

  test("decoded tokens choose the experts that one pass over the whole sequence chooses", async () => {
    const decodedPath = folder.path(`${name}-decoded.safetensors`);
    const tensors = backend.tf.memory().numTensors;
    const outcome = await captureTiny(backend, name, decodedPath, { given: { decodeSteps: 6 } });
    expect(backend.tf.memory().numTensors).toBe(tensors);
    expect(outcome.decodedChoices).toBeGreaterThan(0);
    expect(outcome.decodedOtherwise).toBe(0);
    const { file } = await opened(decodedPath);
    const phase = await file.readColumn("phase", 0, file.rows);
    const position = await file.readColumn("position", 0, file.rows);
    const decoded = [...phase.keys()].filter((row) => phase[row] === phases.decode);
    expect(decoded.length * outcome.layersRecorded).toBe(outcome.decodedChoices);
    expect(decoded.slice(0, 2).map((row) => position[row])).toEqual([24, 25]);
    await file.close();
  });
});

test("the same capture has the same bytes, however its tokens are grouped in memory", async () => {
  const [whole, grouped] = [folder.path("whole.safetensors"), folder.path("grouped.safetensors")];
  await captureTiny(backend, "mixtral", whole);
  await captureTiny(backend, "mixtral", grouped, { given: { memoryBytes: 200_000 } });
  expect(readFileSync(grouped).equals(readFileSync(whole))).toBe(true);
});

test("--layers records the first layers only, and says so", async () => {
  const path = folder.path("first.safetensors");
  await captureTiny(backend, "mixtral", path, { given: { layerCount: 2 } });
  const { file } = await opened(path);
  expect(file.header.layers).toEqual([0, 1]);
  expect(file.header.provenance.notes).toContain("the model's first 2 of 3 layers were asked for");
  expect(file.header.provenance.partial).toBeUndefined();
  expect([...(await file.readLayer(1, 0, 24))]).toEqual(expectedOf("mixtral").routers[1]!.ids.flat());
  await file.close();
});

test("weights and scores are left out when they are not wanted", async () => {
  const path = folder.path("bare.safetensors");
  await captureTiny(backend, "mixtral", path, { given: { keepsWeights: false, keepsScores: false } });
  const { file } = await opened(path);
  expect([file.hasWeights, file.hasScores]).toEqual([false, false]);
  await file.close();
});

describe("a capture that is stopped", () => {
  test("leaves a trace of the layers it finished, marked as partial, and goes on to the whole one", async () => {
    const path = folder.path("stopped.safetensors");
    const stop = new AbortController();
    const watch = { signal: stop.signal, onLayer: (layer: number) => layer === 2 && stop.abort() };
    const partial = await captureTiny(backend, "mixtral", path, { watch });
    expect(partial).toMatchObject({ complete: false, layersRecorded: 2 });
    const { file, table } = await opened(path);
    expect(file.header.provenance.partial).toBe("2 of 3 layers recorded, up to layer 1");
    expect(table.origin.notes).toContain("the recording ended early: 2 of 3 layers recorded, up to layer 1");
    expect([...(await file.readLayer(1, 0, 24))]).toEqual(expectedOf("mixtral").routers[1]!.ids.flat());
    await file.close();
    expect(await captureTiny(backend, "mixtral", path)).toMatchObject({ complete: true, layersBefore: 2 });
    const whole = folder.path("unstopped.safetensors");
    await captureTiny(backend, "mixtral", whole);
    expect(readFileSync(path).equals(readFileSync(whole))).toBe(true);
  });

  test("before its first layer writes no trace", async () => {
    const path = folder.path("early.safetensors");
    const stop = new AbortController();
    stop.abort();
    const outcome = await captureTiny(backend, "mixtral", path, { watch: { signal: stop.signal } });
    expect(outcome).toMatchObject({ complete: false, layersRecorded: 0 });
    expect(existsSync(path)).toBe(false);
  });

  test("while decoding or after it keeps the prompts that are done", async () => {
    const path = folder.path("decoding.safetensors");
    const stop = new AbortController();
    const prompts: number[] = [];
    const watch = { signal: stop.signal, onDecoded: (done: number) => done === 2 && stop.abort() };
    await captureTiny(backend, "mixtral", path, { given: { decodeSteps: 3 }, watch });
    expect(existsSync(path)).toBe(false);
    const onDecoded = (done: number) => void prompts.push(done);
    await captureTiny(backend, "mixtral", path, { given: { decodeSteps: 3 }, watch: { onDecoded } });
    expect(prompts).toEqual([2, 3, 4]);
    const layerStop = new AbortController();
    const stopped = { signal: layerStop.signal, onLayer: (layer: number) => layer === 1 && layerStop.abort() };
    const again = folder.path("decoded-then-stopped.safetensors");
    await captureTiny(backend, "mixtral", again, { given: { decodeSteps: 3 }, watch: stopped });
    const none: number[] = [];
    await captureTiny(backend, "mixtral", again, {
      given: { decodeSteps: 3 },
      watch: { onDecoded: (done) => none.push(done) },
    });
    expect(none).toEqual([]);
    expect(readFileSync(again).equals(readFileSync(path))).toBe(true);
    const whole = folder.path("undisturbed.safetensors");
    await captureTiny(backend, "mixtral", whole, { given: { decodeSteps: 3 } });
    expect(readFileSync(path).equals(readFileSync(whole))).toBe(true);
  });
});
