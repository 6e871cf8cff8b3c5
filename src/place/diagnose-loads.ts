import { InvalidInputError, type Problem } from "../core/errors.ts";
import { sum } from "../core/statistics.ts";
import { chanceImbalance, chanceOfEqual } from "../policy/placement/chance-imbalance.ts";
import { contiguousMap } from "../policy/placement/contiguous.ts";
import { eplb } from "../policy/placement/eplb.ts";
import { loadBalance } from "../policy/placement/load-balance.ts";
import { lpt } from "../policy/placement/lpt.ts";
import type { Placement } from "../policy/placement/placement.ts";
import { rankLoads } from "../policy/placement/placement-measures.ts";
import { roundRobin } from "../policy/placement/round-robin.ts";
import { copiesBound } from "./copies-bound.ts";
import type { CopiesOutlook, MapAge, PlacementDiagnosis, StepOutlook } from "./diagnosis.ts";
import { diagnosisAnswer } from "./diagnosis-answer.ts";
import { judgedTraffic, judgeMap, wholeBalance } from "./judge-map.ts";
import { redundantChoices } from "./map-candidates.ts";
import { rankTraffic } from "./rank-traffic.ts";
import type { RecordedLoads } from "./recorded-loads.ts";

export interface DiagnoseOptions {
  readonly ep: number;
  readonly nodes: number;
  /** Redundant experts of a layer to compare; absent: none, and one, two and four a rank. */
  readonly redundant?: readonly number[];
  /** Tokens of a step that the answer is about. */
  readonly batch: number;
}

const ages = [0, 1, 2, 4, 8];
const stepSizes = [16, 64, 256, 1024, 4096];

/** Judges recorded loads. @throws InvalidInputError for ranks, nodes or copies that do not go together */
export function diagnoseLoads(recorded: RecordedLoads, options: DiagnoseOptions): PlacementDiagnosis {
  const { layers, experts, topK, topics, table, kind, modelLayers } = recorded;
  const { ep, nodes, batch } = options;
  checkOptions(experts, options);
  const numbers = options.redundant ?? [
    ...redundantChoices(experts, ep),
    ...redundantChoices(experts, ep)
      .slice(1, 2)
      .map((one) => one + ep),
  ];
  const redundants = [...new Set([0, ...numbers])].sort((a, b) => a - b);
  const blank = {
    layers,
    experts,
    ranks: ep,
    nodes,
    groups: 1,
    physicalExperts: Math.ceil(experts / ep) * ep,
    loads: null,
  };
  const place = (loads: Float64Array, redundant: number): Placement =>
    redundant === 0
      ? lpt.place({ ...blank, loads })
      : eplb.place({ ...blank, loads, physicalExperts: experts + redundant });
  const whole = sumOf(topics.flatMap(({ windows }) => windows));
  const order = contiguousMap(layers, experts, ep);
  const orderLoads = rankLoads(order, whole);
  const inOrder = loadBalance(orderLoads, ep);
  const halves = halvesOf(recorded);
  const ratioOf = (map: Placement, loads: Float64Array) => wholeBalance(map, loads).maxOverMean;
  const copies = redundants.map(
    (redundant): CopiesOutlook => ({
      redundant,
      bound: copiesBound(whole, experts, ep, redundant),
      fitted: ratioOf(place(whole, redundant), whole),
      later: halves === null ? null : ratioOf(place(halves[0], redundant), halves[1]),
    }),
  );
  const layerMap = Array.from({ length: layers }, (_, layer) => layer);
  const perToken = topK ?? 1;
  const steps = [...new Set([...stepSizes, batch])]
    .sort((a, b) => a - b)
    .map((tokens): StepOutlook => {
      // A step of a quarter of the recording is hardly a step any more.
      const enough = table !== null && tokens * 4 <= table.rows;
      return {
        tokens,
        recorded: enough ? judgeMap(order, judgedTraffic(table, layerMap, tokens)).step.maxOverMean : null,
        byChance: chanceImbalance(orderLoads, ep, tokens * perToken),
        perfectMap: chanceOfEqual(ep, tokens * perToken),
      };
    });
  const nodeOf = Array.from({ length: ep }, (_, rank) => Math.floor((rank * nodes) / ep));
  const traffic = table === null ? null : rankTraffic(order, table, layerMap, { ranks: ep, nodes, nodeOf });
  const diagnosis = {
    kind: "placement-diagnosis",
    schemaVersion: 1,
    name: recorded.name,
    trace: kind,
    rows: recorded.rows,
    layers,
    experts,
    topK,
    ep,
    nodes,
    batch,
    inOrder: { ...inOrder, worst: { ...inOrder.worst, layer: modelLayers[inOrder.worst.layer]! } },
    nodesInOrder: loadBalance(byNode(orderLoads, ep, nodes), nodes).maxOverMean,
    wholeByChance: table === null ? null : chanceOfEqual(ep, pairsOf(whole, layers)),
    roundRobin: ratioOf(roundRobin.place(blank), whole),
    copies,
    laterInOrder: halves === null ? null : ratioOf(order, halves[1]),
    laterByChance: halves === null || table === null ? null : chanceOfEqual(ep, pairsOf(halves[1], layers)),
    ages: agesOf(recorded, order, ep, (loads) => place(loads, 0)),
    windowTokens: table === null ? null : table.rows / topics.reduce((sum, { windows }) => sum + windows.length, 0),
    steps,
    topics: topics.length < 2 ? null : topicsOf(recorded, order, (loads) => place(loads, 0)),
    touched: traffic === null ? null : { ranks: traffic.ranksTouched, nodes: traffic.nodesTouched },
  } as const;
  return { ...diagnosis, ...diagnosisAnswer(diagnosis) };
}

function checkOptions(experts: number, { ep, nodes, redundant }: DiagnoseOptions): void {
  const problems: Problem[] = [];
  if (ep < 2 || ep > experts)
    problems.push({ at: "--ep", expected: `2 to ${experts} ranks for ${experts} experts`, found: ep });
  if (ep % nodes !== 0) problems.push({ at: "--nodes", expected: `a divisor of ${ep} ranks`, found: nodes });
  for (const number of redundant ?? [])
    if (number > 0 && (experts + number) % ep !== 0)
      problems.push({
        at: "--redundant",
        expected: `${experts} experts + redundant to be a multiple of ${ep}`,
        found: number,
      });
  if (problems.length > 0) throw new InvalidInputError(problems);
}

function sumOf(parts: readonly Float64Array[]): Float64Array {
  const sums = new Float64Array(parts[0]?.length ?? 0);
  for (const part of parts) for (let at = 0; at < sums.length; at++) sums[at]! += part[at]!;
  return sums;
}

/** The earlier windows of all topics and the later ones; null where no topic has two. */
function halvesOf({ topics }: RecordedLoads): readonly [Float64Array, Float64Array] | null {
  const long = topics.filter(({ windows }) => windows.length > 1);
  if (long.length === 0) return null;
  const half = (from: number, to: number) =>
    sumOf(
      long.flatMap(({ windows }) => windows.slice(Math.floor(from * windows.length), Math.floor(to * windows.length))),
    );
  return [half(0, 0.5), half(0.5, 1)];
}

/** Choices of a layer, mean. */
const pairsOf = (loads: Float64Array, layers: number): number => Math.max(1, Math.round(sum(loads) / layers));

function agesOf(
  { topics, layers, kind }: RecordedLoads,
  order: Placement,
  ranks: number,
  place: (loads: Float64Array) => Placement,
): MapAge[] {
  const maps = topics.map(({ windows }) => (windows.length > 1 ? windows.map(place) : []));
  const compared = topics.flatMap(({ windows }) => (windows.length > 1 ? windows : []));
  if (compared.length === 0) return [];
  const pairsEach = Math.round(
    compared.reduce((total, window) => total + pairsOf(window, layers), 0) / compared.length,
  );
  const perfectMap = kind === "counts" ? null : chanceOfEqual(ranks, pairsEach);
  return ages.flatMap((age) => {
    let pairs = 0;
    let fitted = 0;
    let inOrder = 0;
    for (const [topic, { windows }] of topics.entries())
      for (let i = 0; i + age < maps[topic]!.length; i++) {
        pairs++;
        fitted += wholeBalance(maps[topic]![i]!, windows[i + age]!).maxOverMean;
        inOrder += wholeBalance(order, windows[i + age]!).maxOverMean;
      }
    return pairs === 0 ? [] : [{ windows: age, pairs, fitted: fitted / pairs, inOrder: inOrder / pairs, perfectMap }];
  });
}

function topicsOf({ topics }: RecordedLoads, order: Placement, place: (loads: Float64Array) => Placement) {
  const loads = topics.map(({ windows }) => sumOf(windows));
  const maps = loads.map(place);
  return {
    names: topics.map(({ name }) => name),
    maxOverMean: maps.map((map) => loads.map((of) => wholeBalance(map, of).maxOverMean)),
    inOrder: loads.map((of) => wholeBalance(order, of).maxOverMean),
  };
}

/** Loads of nodes, each of equally many ranks. */
function byNode(loads: Float64Array, ranks: number, nodes: number): Float64Array {
  const sums = new Float64Array((loads.length / ranks) * nodes);
  for (let at = 0; at < loads.length; at++)
    sums[Math.floor(at / ranks) * nodes + Math.floor(((at % ranks) * nodes) / ranks)]! += loads[at]!;
  return sums;
}
