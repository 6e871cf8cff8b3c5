import { RandomStream } from "../src/core/random.ts";
import { assignment } from "../src/solver/assignment/assignment.ts";
import type { AssignmentProblem } from "../src/solver/assignment/assignment-problem.ts";
import { chain } from "../src/solver/chain/chain.ts";
import type { ChainProblem } from "../src/solver/chain/chain-problem.ts";
import { partition } from "../src/solver/partition/partition.ts";
import type { PartitionProblem } from "../src/solver/partition/partition-problem.ts";
import { type Answer, type Optimisation, solveHere } from "../src/solver/solver.ts";
import type { BenchRow } from "./bench.ts";

const random = new RandomStream(1, "solver bench");
const drawn = (length: number, sigma: number, scale: number) =>
  Float64Array.from({ length }, () => Math.round(scale * Math.exp(sigma * random.normal())));

/** Places on nodes of some: 1 within a node, 9 between nodes. */
const nodesOf = (places: number, perNode: number) =>
  Float64Array.from({ length: places * places }, (_, at) => {
    const [a, b] = [Math.floor(at / places), at % places];
    return a === b ? 0 : Math.floor(a / perNode) === Math.floor(b / perNode) ? 1 : 9;
  });

/** Experts of a layer into clusters of equal size: MoETuner's first program. */
const clusters = (experts: number, bins: number): AssignmentProblem => ({
  loads: drawn(experts, 0.8, 1000),
  bins,
  binItemsMax: experts / bins,
  binItemsMin: experts / bins,
  minimise: "deviations",
});

const links = (layers: number, gpus: number, perNode: number): ChainProblem => ({
  layers,
  gpus,
  traffic: drawn((layers - 1) * gpus * gpus, 0.8, 1000),
  distance: nodesOf(gpus, perNode),
  minimise: "bottleneck",
});

const affinity = (layers: number, items: number, parts: number, perNode: number): PartitionProblem => ({
  layers,
  items,
  parts,
  traffic: drawn((layers - 1) * items * items, 1.2, 5),
  distance: nodesOf(parts, perNode),
  sizes: new Uint16Array(layers * parts).fill(items / parts),
});

/** CPU time of every solver that takes a problem within a few seconds, with the gap that it reaches; one solve each. */
export async function bench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const time = async <Input, Solution>(
    kind: Optimisation<Input, Solution>,
    size: string,
    problem: Input,
    names: readonly string[],
  ): Promise<void> => {
    for (const solver of names) {
      const before = process.cpuUsage();
      const answer: Answer<Solution> | null = await solveHere(kind, problem, { solver, timeLimitS: 5 }).catch(
        () => null,
      );
      const { user, system } = process.cpuUsage(before);
      const quality =
        answer === null ? "none in 5 s" : `${answer.objective.toPrecision(5)}, gap ${(100 * answer.gap).toFixed(2)} %`;
      rows.push({ name: `${kind.name}, ${size}, ${solver}: ${quality}`, value: (user + system) / 1e3, unit: "ms" });
    }
  };
  for (const [experts, bins] of [
    [8, 4],
    [64, 8],
    [256, 32],
  ] as const) {
    const names = experts === 8 ? ["lpt", "swaps", "lns", "highs", "glpk"] : ["lpt", "swaps", "lns", "highs"];
    await time(assignment, `${experts} experts in ${bins}`, clusters(experts, bins), names);
  }
  for (const [layers, gpus, perNode] of [
    [4, 4, 2],
    [32, 4, 2],
    [32, 8, 4],
    [58, 32, 8],
    [58, 32, 32],
  ] as const) {
    const all = ["local", "sweeps", "lns"];
    const names = gpus > 8 ? all : gpus > 4 || layers > 4 ? [...all, "dp"] : [...all, "dp", "highs", "glpk"];
    await time(chain, `${layers} layers, ${gpus} GPUs in ${gpus / perNode}`, links(layers, gpus, perNode), names);
  }
  for (const [layers, items, parts, perNode] of [
    [2, 4, 2, 2],
    [16, 64, 8, 4],
    [58, 256, 32, 8],
  ] as const) {
    const all = ["sweeps", "bipartition"];
    const names = items < 8 ? [...all, "lns", "highs", "glpk"] : items < 256 ? [...all, "lns"] : all;
    const size = `${layers} layers, ${items} experts, ${parts} ranks in ${parts / perNode}`;
    await time(partition, size, affinity(layers, items, parts, perNode), names);
  }
  return rows;
}
