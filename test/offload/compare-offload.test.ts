import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { gainOf, isReal } from "../../src/core/paired-gain.ts";
import { adviceOf } from "../../src/offload/compare/advice.ts";
import { settableAxes, slotCandidates } from "../../src/offload/compare/candidates.ts";
import { compareOffload } from "../../src/offload/compare/compare-offload.ts";
import { memoryCandidates } from "../../src/offload/compare/memory-candidates.ts";
import { missVerdict, verdictText } from "../../src/offload/compare/verdict.ts";
import { offloadComparisonPage } from "../../src/report/offload-comparison.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { testNode } from "../sim/build.ts";
import { compare, noFiles, offload, text } from "./compared.ts";

describe("a comparison", () => {
  test("says what could not be run, and why", async () => {
    const found = await compare(offload, { axes: ["miss"], repeats: 1 });
    const weighed = found.leftOut.find(({ name }) => name === "gate-score")!;
    expect(weighed.reason).toMatch(/router weights/);
    const page = terminalPage(offloadComparisonPage(found), undefined, 80);
    expect(page).toContain("not compared");
    expect(page.split("\n").every((line) => line.length <= 80)).toBe(true);
  });

  test("gives misses that fill no cache a fixed set", async () => {
    const found = await compare(offload, { axes: ["miss"], repeats: 1 });
    const host = found.outcomes.find(({ name }) => name === "host, fixed set")!;
    expect(host.set).toContain("policy.offload.kind=static");
    expect(host.hitRate).toBeGreaterThan(0.2);
  });

  test("of which nothing runs is refused, with what stands in the way", async () => {
    const found: unknown = await compare(offload.replace("kind: lru", "kind: lru, overlap: false"), {
      axes: ["prefetch"],
      repeats: 1,
    }).catch((error: unknown) => error);
    expect(found).toBeInstanceOf(InvalidInputError);
    const [problem] = (found as InvalidInputError).problems;
    expect(problem).toMatchObject({ at: "policy.offload" });
    expect(problem!.expected).toContain("prefetch perfect needs overlap true");
    expect(problem!.line).toBeGreaterThan(0);
  });

  test("blames neither size nor policy where all experts have room", async () => {
    const small = text("offload: { kind: lru, slots: 8 }").replace("experts: int4", "experts: int2");
    const whole = await compareOffload(
      parseScenario(small, "small.yaml"),
      { axes: [], repeats: 1, requests: 1 },
      noFiles,
    );
    expect([whole.slots, whole.verdict]).toEqual([8, null]);
    const part = await compare(offload, { axes: [], repeats: 1, requests: 1 });
    expect(part.verdict).not.toBeNull();
  });

  test("tries no size that a token's experts do not fit into, but for a fixed set", () => {
    expect(slotCandidates(8, 2).map(({ name }) => name)).toEqual(["2", "3", "4", "5", "6", "7", "8"]);
    expect(slotCandidates(8, 1)).toHaveLength(8);
    expect(slotCandidates(64, 8).map(({ name }) => name)[0]).toBe("8");
    expect(slotCandidates(128, 22).map(({ name }) => name)[0]).toBe("32");
  });

  test("of single runs decides nothing, and sizes that no call fits into are not to be left as they are", async () => {
    const once = await compare(offload, { axes: ["slots"], repeats: 1 });
    expect(Math.max(...once.outcomes.map(({ gain }) => gain?.share ?? 0))).toBeGreaterThan(0.05);
    expect(once.advice).toContain("undecided");
    const none = (slots: number, kind = "lru") =>
      adviceOf({ ...once, outcomes: [], slots, slotsOfToken: kind === "lru" ? 2 : 1 });
    expect(none(3)).toMatch(/^leave it as it is/);
    expect(none(1)).toContain("with 1 slots every call streams: give at least 2");
    expect(none(1, "static")).toMatch(/^leave it as it is/);
  });

  test("of a scenario that offloads nothing is refused", async () => {
    await expect(compare("router: least-loaded")).rejects.toThrow(InvalidInputError);
  });
});

describe("more memory or a faster disk", () => {
  const node = {
    ...testNode(),
    tiers: testNode().tiers.map((tier, i) => (i === 0 ? { ...tier, bytes: 32 * 2 ** 30 } : tier)),
  };
  const settings = (section: object, pages: boolean) =>
    memoryCandidates(section as Parameters<typeof memoryCandidates>[0], node, pages).map(({ set }) => set.join(" "));

  test("changes what of memory is for experts, and leaves what is not", () => {
    const [half, more] = settings({ hostMemory: 28 * 2 ** 30 }, false);
    expect(half).toBe("hardware.tiers.ddr.capacity=16GiB policy.offload.hostMemory=12GiB");
    expect(more).toBe("hardware.tiers.ddr.capacity=48GiB policy.offload.hostMemory=44GiB");
    expect(settings({ hostMemory: 2 ** 30, pageCache: "rest" }, false)[1]).toBe("hardware.tiers.ddr.capacity=48GiB");
    expect(settings({ pageCache: 8 * 2 ** 30 }, false).slice(0, 2)).toEqual([
      "hardware.tiers.ddr.capacity=16GiB policy.offload.pageCache=0GiB",
      "hardware.tiers.ddr.capacity=48GiB policy.offload.pageCache=24GiB",
    ]);
  });

  test("keeps experts in pages of the file, whether they would fit or not", () => {
    expect(settings({}, true)[3]).toBe("hardware.tiers.ddr.capacity=128GiB policy.offload.pageCache=rest");
    expect(settings({ hostMemory: 28 * 2 ** 30 }, true)[2]).toBe(
      "hardware.tiers.ddr.capacity=64GiB policy.offload.hostMemory=0GiB policy.offload.pageCache=60GiB",
    );
  });

  test("names rates that a disk reaches", () => {
    const { read } = node.tiers[1]!;
    const reached = read.bytesPerSecond * read.efficiency;
    expect(settings({}, false).slice(4)).toEqual(
      [0.5, 2, 4].map((factor) => `hardware.tiers.nvme.bandwidth=${reached * factor}B/s`),
    );
  });

  test("is compared only where it is asked for: it cannot be set, but bought", async () => {
    const found = await compare(offload, { axes: ["memory"], repeats: 1 });
    expect(found.outcomes.map(({ axis }) => axis)).toEqual(Array.from({ length: 7 }, () => "memory"));
    const page = terminalPage(offloadComparisonPage(found), undefined, 80);
    expect(page).toContain("More memory or a faster disk");
    expect(settableAxes).not.toContain("memory");
  });
});

describe("a gain", () => {
  test("is the mean of the pairs, with the interval of their differences", () => {
    const { share, halfWidth } = gainOf([100, 200], [90, 160]);
    expect(share).toBeCloseTo(0.15, 12);
    // Two pairs: t(1, 95 %) = 12.706 times 0.05.
    expect(halfWidth).toBeCloseTo(12.706 * 0.05, 3);
    expect(isReal({ share, halfWidth })).toBe(false);
    expect(isReal(gainOf([100, 200, 300], [90, 180, 270]))).toBe(true);
    // One pair says nothing of the noise.
    expect(isReal(gainOf([100], [50]))).toBe(false);
  });
});

test.each([
  [0.5, 0.9, "policy"],
  [0.5, 0.55, "working set"],
  [0.5, 0.75, "both"],
  [0.98, 0.99, "neither"],
] as const)("of %d hits where %d are possible the cause is %s", (policy, optimum, cause) => {
  const verdict = missVerdict(policy, optimum, 0.4);
  expect(verdict.cause).toBe(cause);
  expect(verdictText(verdict)).toMatch(/%/);
});
