import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type LayerExecutor, recordLayers } from "../../../src/capture/record/record-layers.ts";
import { openWorkFolder } from "../../../src/capture/record/work-folder.ts";
import { sha256 } from "../../../src/core/digest.ts";
import { everyOther } from "../../drawn.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";
import { fakeExecutor, fakeJob } from "./fake-model.ts";

const folder = temporaryFolder();
const begin = { inputs: {}, startedAt: "then" };

/** Records and lets go of the folder whatever happens; returns the layers that are done. */
async function record(path: string, executor: LayerExecutor, given: Parameters<typeof fakeJob>[1] = {}) {
  const work = await openWorkFolder(path, begin, false);
  try {
    await recordLayers(fakeJob(executor, given), work);
    return work.journal.layers.length;
  } finally {
    await work.release();
  }
}

/** Digests of everything a recording left but its lock, by file name. */
const contents = (path: string) =>
  Object.fromEntries(
    readdirSync(path)
      .filter((name) => name !== "lock")
      .sort()
      .map((name) => [name, sha256(readFileSync(join(path, name)))]),
  );

const calls: string[] = [];
const whole = folder.path("whole");
await record(
  whole,
  fakeExecutor((call) => calls.push(call)),
);
const expected = contents(whole);

describe("layer after layer", () => {
  test("a layer is opened once, each sequence attends once, and the last layer only routes", () => {
    expect(calls.filter((call) => call === "open")).toHaveLength(4);
    expect(calls.filter((call) => call === "attention")).toHaveLength(4 * 6);
    const groups = 4;
    expect(calls.filter((call) => call === "feedForward")).toHaveLength(3 * groups);
    expect(calls.slice(-2)).toEqual(["attention", "route"]);
  });

  test("the size of groups changes nothing", async () => {
    for (const tokensPerGroup of [
      [1, 1, 1, 1],
      [1000, 1, 8, 1000],
    ]) {
      const path = folder.path(`groups-${tokensPerGroup[0]}`);
      await record(path, fakeExecutor(), { tokensPerGroup });
      expect(contents(path)).toEqual(expected);
    }
  });

  test("progress counts every token of every layer and never goes back", async () => {
    const seen: number[] = [];
    await record(folder.path("progress"), fakeExecutor(), {
      onProgress: (layer, tokens) => seen.push(layer * 24 + tokens),
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(4 * 24);
  });
});

describe("a recording that was ended", () => {
  // Before the journal's first state, in the first, a middle and the last layer, and at the first call of a layer.
  const ends = [0, 1, 4, 13, 25, 36, calls.length - 1];

  test.each(everyOther(ends))("by a kill before call %i goes on to the same files", async (n) => {
    const path = folder.path(`killed-${n}`);
    const script = fileURLToPath(new URL("./record-in-child.ts", import.meta.url));
    const child = spawnSync(process.execPath, ["--import", "tsx", script, path, String(n)], { encoding: "utf8" });
    expect([child.signal, child.stderr]).toEqual(["SIGKILL", ""]);
    let opened = 0;
    expect(
      await record(
        path,
        fakeExecutor((call) => (opened += call === "open" ? 1 : 0)),
      ),
    ).toBe(4);
    expect(contents(path)).toEqual(expected);
    expect(opened).toBe(4 - calls.slice(0, n + 1).filter((call) => call === "open").length + (n > 0 ? 1 : 0));
  });

  test("by a signal returns what is done, and goes on from there", async () => {
    for (let n = 0; n < calls.length; n += 5) {
      const path = folder.path(`stopped-${n}`);
      const stop = new AbortController();
      let left = n;
      const stopping = fakeExecutor(() => {
        if (left-- === 0) stop.abort();
      });
      const done = await record(path, stopping, { signal: stop.signal });
      expect(done).toBe(Math.max(0, calls.slice(0, n + 1).filter((call) => call === "open").length - 1));
      expect(await record(path, fakeExecutor())).toBe(4);
      expect(contents(path)).toEqual(expected);
    }
  });

  test("by running out of memory names the layer and what to lower", async () => {
    const path = folder.path("exhausted");
    let left = 12;
    const failing = fakeExecutor((call) => {
      if (call === "feedForward" && left-- < 8) throw new RangeError("Array buffer allocation failed");
    });
    const failed = record(path, failing);
    await expect(failed).rejects.toThrow(/^layer 1: out of memory \(Array buffer allocation failed\).*Lower --memory/);
    await expect(failed).rejects.toMatchObject({ exitCode: 4 });
    expect(await record(path, fakeExecutor())).toBe(4);
    expect(contents(path)).toEqual(expected);
  });

  test("does not go on from states that were changed", async () => {
    const path = folder.path("damaged");
    const stop = new AbortController();
    let left = 20;
    await record(
      path,
      fakeExecutor(() => left-- === 0 && stop.abort()),
      { signal: stop.signal },
    );
    const file = join(path, "states-1");
    const bytes = readFileSync(file);
    bytes[5] = bytes[5]! ^ 1;
    writeFileSync(file, bytes);
    await expect(record(path, fakeExecutor())).rejects.toThrow(/states-1: expected \d+ bytes with sha256/);
  });
});
