import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { ChainExchanges } from "../../../src/solver/chain/chain-exchanges.ts";
import type { LinkNorm } from "../../../src/solver/chain/chain-links.ts";
import { type ChainProblem, chainViolation, itemsByGpu } from "../../../src/solver/chain/chain-problem.ts";
import { drawn } from "../../drawn.ts";

const norms: readonly LinkNorm[] = [{ kind: "sum" }, { kind: "largest" }, { kind: "powers", doublings: 2 }];

function anyProblem(random: RandomStream): ChainProblem {
  const layers = 2 + random.below(4);
  const gpus = 2 + random.below(4);
  return {
    layers,
    gpus,
    traffic: Float64Array.from({ length: (layers - 1) * gpus * gpus }, () => random.below(20)),
    distance: Float64Array.from({ length: gpus * gpus }, (_, at) =>
      at % (gpus + 1) === 0 ? 0 : 1 + 8 * random.below(2),
    ),
    minimise: "sum",
  };
}

const anyChain = ({ layers, gpus }: ChainProblem, random: RandomStream) =>
  Uint16Array.from(
    Array.from({ length: layers }, () => random.shuffle(Array.from({ length: gpus }, (_, gpu) => gpu))).flat(),
  );

/** The time of a chain, link by link. */
function timeOf({ layers, gpus, traffic, distance }: ChainProblem, gpuOf: Uint16Array, norm: LinkNorm): number {
  let total = 0;
  for (let layer = 0; layer + 1 < layers; layer++) {
    const times: number[] = [];
    for (let source = 0; source < gpus; source++)
      for (let target = 0; target < gpus; target++)
        times.push(
          traffic[(layer * gpus + source) * gpus + target]! *
            distance[gpuOf[layer * gpus + source]! * gpus + gpuOf[(layer + 1) * gpus + target]!]!,
        );
    const power = norm.kind === "powers" ? 2 ** norm.doublings : 1;
    total +=
      norm.kind === "largest" ? Math.max(...times) : times.reduce((sum, time) => sum + time ** power, 0) ** (1 / power);
  }
  return total;
}

describe.each(norms.map((norm) => [norm.kind, norm] as const))("exchanges by %s", (_kind, norm) => {
  test("find the best set of layers of all, and say what it takes", () => {
    const random = new RandomStream(1, "chain exchanges");
    let [helped, stayed] = [0, 0];
    for (let i = 0; i < drawn(200); i++) {
      const problem = anyProblem(random);
      const { layers, gpus } = problem;
      const start = anyChain(problem, random);
      const a = random.below(gpus);
      const b = (a + 1 + random.below(gpus - 1)) % gpus;
      let least = timeOf(problem, start, norm);
      for (let set = 1; set < 1 << layers; set++) {
        const tried = start.map((gpu, at) =>
          ((set >> Math.floor(at / gpus)) & 1) === 0 ? gpu : gpu === a ? b : gpu === b ? a : gpu,
        );
        least = Math.min(least, timeOf(problem, tried, norm));
      }
      const search = new ChainExchanges(problem, start, norm);
      expect(search.objective).toBeCloseTo(timeOf(problem, start, norm), 6);
      const before = search.objective;
      const improved = search.improve(a, b);
      expect(search.objective).toBeCloseTo(least, 6);
      expect(search.objective).toBeCloseTo(timeOf(problem, search.gpuOf, norm), 6);
      expect(improved).toBe(least < before * (1 - 1e-9));
      expect(chainViolation(problem, search.gpuOf)).toBeNull();
      if (improved) helped++;
      else stayed++;
    }
    expect(Math.min(helped, stayed)).toBeGreaterThan(0);
  });

  test("one after another keep objective and times together", () => {
    const random = new RandomStream(2, "chain exchanges");
    for (let i = 0; i < drawn(40); i++) {
      const problem = anyProblem(random);
      const search = new ChainExchanges(problem, anyChain(problem, random), norm);
      for (let turn = 0; turn < 30; turn++) {
        const a = random.below(problem.gpus);
        search.improve(a, (a + 1 + random.below(problem.gpus - 1)) % problem.gpus);
        expect(search.objective).toBeCloseTo(timeOf(problem, search.gpuOf, norm), 6);
      }
    }
  });
});

test("no exchange leaves a GPU with more experts than it may hold", () => {
  const random = new RandomStream(3, "chain exchanges");
  let [refused, taken] = [0, 0];
  for (let i = 0; i < drawn(200); i++) {
    const free = anyProblem(random);
    const start = anyChain(free, random);
    const clusterItems = Uint16Array.from(start, () => 1 + random.below(4));
    const held = itemsByGpu({ ...free, clusterItems }, start);
    const problem = { ...free, clusterItems, gpuItemsMax: Math.max(...held) };
    const [limited, unlimited] = [problem, free].map((of) => new ChainExchanges(of, start, { kind: "sum" }));
    for (let a = 0; a < problem.gpus; a++)
      for (let b = 0; b < a; b++) {
        if (limited!.improve(a, b)) taken++;
        else if (unlimited!.improve(a, b)) refused++;
        expect(chainViolation(problem, limited!.gpuOf)).toBeNull();
      }
  }
  expect(Math.min(refused, taken)).toBeGreaterThan(0);
});
