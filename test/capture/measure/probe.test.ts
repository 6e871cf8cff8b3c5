import { describe, expect, test } from "vitest";
import { measureDisk } from "../../../src/capture/measure/disk.ts";
import { type Probe, ProbeRounds, sampleProbes, timed, timedDifference } from "../../../src/capture/measure/probe.ts";

describe("probes", () => {
  const recording = () => {
    const order: string[] = [];
    const probe = (name: string, ns: number): Probe => ({
      name,
      run: async () => {
        order.push(name);
        return ns;
      },
    });
    return { order, probes: [probe("a", 1), probe("b", 2), probe("c", 3)] };
  };
  const options = { warmUpRounds: 2, roundsMin: 3, roundsMax: 50, seconds: 10, clock: () => 0 };

  test("every round runs every probe once, in orders that differ but not from run to run", async () => {
    const first = recording();
    const rounds = new ProbeRounds(first.probes);
    await sampleProbes(rounds, options);
    expect(rounds.samples.map((of) => of.length)).toEqual([50, 50, 50]);
    const orders = Array.from({ length: 52 }, (_, r) => first.order.slice(3 * r, 3 * r + 3).join(""));
    expect(orders.every((order) => order.split("").sort().join("") === "abc")).toBe(true);
    expect(new Set(orders).size).toBe(6);
    const second = recording();
    await sampleProbes(new ProbeRounds(second.probes), options);
    expect(second.order).toEqual(first.order);
  });

  test("the time ends them, but not before the least number of rounds", async () => {
    let now = 0;
    const clock = () => (now += 2e9);
    const rounds = new ProbeRounds(recording().probes);
    await sampleProbes(rounds, { ...options, clock });
    expect(rounds.samples[0]).toHaveLength(5);
    now = 0;
    const least = new ProbeRounds(recording().probes);
    await sampleProbes(least, { ...options, clock, seconds: 0 });
    expect(least.samples[0]).toHaveLength(3);
  });

  test("an aborted signal ends them", async () => {
    const signal = AbortSignal.abort(new Error("stopped"));
    await expect(sampleProbes(new ProbeRounds(recording().probes, signal), options)).rejects.toThrow("stopped");
  });
});

test("a time is the median, its spread that of the middle half", () => {
  expect(timed([4, 1, 2, 3, 100])).toEqual({ ns: 3, spread: 2 / 3, samples: 5 });
});

test("differences are taken round by round, so a slow round does not count twice", () => {
  const less = [10, 1010, 20];
  const more = [14, 1014, 24];
  expect(timedDifference(more, less, 4)).toEqual({ ns: 1, spread: 0, samples: 3 });
  // Noise below nothing is nothing.
  expect(timedDifference([1], [2], 1).ns).toBe(0);
});

test("reads of a disk have a row for each size and cache, or say why not", () => {
  let now = 0;
  const { disk, diskNote } = measureDisk([5000, 65_536], () => (now += 1000));
  const warm = disk.filter(({ cache }) => cache === "warm");
  expect(warm.map(({ bytes, ns }) => ({ bytes, ns }))).toEqual([
    { bytes: 5000, ns: 1000 },
    { bytes: 65_536, ns: 1000 },
  ]);
  const cold = disk.filter(({ cache }) => cache === "cold");
  // Past the page cache, whole pages are read.
  if (diskNote === null) expect(cold.map(({ bytes }) => bytes)).toEqual([8192, 65_536]);
  else expect(cold).toEqual([]);
});
