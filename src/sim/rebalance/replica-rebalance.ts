import { holds } from "../../core/errors.ts";
import type { Parameters, ParameterValues } from "../../core/parameters.ts";
import type { LivePlacementPolicy, Placement, PlacementLimits } from "../../policy/placement/placement.ts";
import { placementProblems } from "../../policy/placement/placement-measures.ts";
import type { RebalancePlan, Rebalancer } from "../../policy/rebalance/rebalance.ts";
import { BalanceRecord } from "./balance-record.ts";
import { type ExpertMove, expertMoves } from "./expert-moves.ts";
import type { LoadWindow } from "./load-window.ts";
import type { MoveTime } from "./move-time.ts";

/** How a pool rebalances, and what its replicas have in common. */
export interface RebalanceSetting {
  readonly plan: RebalancePlan;
  readonly placement: LivePlacementPolicy;
  readonly values?: ParameterValues<Parameters>;
  /** Nodes and groups of a hierarchical placement. */
  readonly nodes: number;
  readonly groups: number;
  /** Limits that every map keeps, `rooms` those of all layers that hold experts. */
  readonly limits: PlacementLimits;
  /** The map at the start, by MoE layer and visit. */
  readonly initial: Placement;
  /** [layers that hold experts] MoE layers of each: its own, and those of further visits of its experts. */
  readonly visits: readonly (readonly number[])[];
  /** [layers that hold experts] pipeline stage. */
  readonly stageOf: readonly number[];
  /** [stages] */
  readonly times: readonly MoveTime[];
  /** Bytes of an expert on all devices of an expert rank. */
  readonly expertBytes: number;
}

/** Layers on their way in a pipeline stage. */
interface Lane {
  layers: readonly number[];
  /** When they left and when they will have arrived, ns. */
  beginNs: number;
  endNs: number;
}

/**
 * Experts of one replica placed anew while it serves. A forward pass ends when its step leaves the last stage; a new map holds for
 * steps that are formed from then on. Every pipeline stage moves experts of its own layers over its own links.
 */
export class ReplicaRebalance {
  /** New maps that were made, and those that were due and not worth it. */
  rebalances = 0;
  skipped = 0;
  movedExperts = 0;
  movedBytes = 0;
  readonly balance = new BalanceRecord();
  private readonly setting: RebalanceSetting;
  private readonly window: LoadWindow;
  /** Puts a map in use, of which some MoE layers have changed. */
  private readonly use: (placement: Placement, changed: readonly number[]) => void;
  private rebalancer: Rebalancer;
  private map: Placement;
  /** [layers that hold experts][slots] the map that is asked for. */
  private readonly target: Uint16Array;
  /** [stages] layers that have still to leave; those on their way. */
  private readonly queues: number[][];
  private readonly lanes: Lane[];
  /** [stages] time that steps owe to the accounts for waiting, and time that the stage has to stand still once it is free, ns. */
  private readonly owedNs: Float64Array;
  private readonly pendingNs: Float64Array;

  constructor(
    setting: RebalanceSetting,
    window: LoadWindow,
    use: (placement: Placement, changed: readonly number[]) => void,
  ) {
    const { plan, initial, visits, times } = setting;
    this.setting = setting;
    this.window = window;
    this.use = use;
    this.rebalancer = plan.create(visits.length);
    this.map = { ...initial, logicalExperts: initial.logicalExperts.slice() };
    this.target = new Uint16Array(visits.length * initial.ranks * initial.physicalExpertsPerRank);
    this.queues = times.map(() => []);
    this.lanes = times.map(() => ({ layers: [], beginNs: 0, endNs: 0 }));
    this.owedNs = new Float64Array(times.length);
    this.pendingNs = new Float64Array(times.length);
  }

  /** The map in use, by MoE layer and visit. */
  get placement(): Placement {
    return this.map;
  }

  /** Counts a pass that is formed: its tokens per recorded layer and expert, and its pairs per MoE layer and rank. */
  count(counts: Uint32Array, pairs: Float64Array): void {
    this.window.add(counts);
    this.balance.add(pairs, this.map.ranks, this.rebalances === 0 ? "before" : this.moving ? "between" : "after");
  }

  /** Whether experts of a map that was asked for have still to arrive. */
  get moving(): boolean {
    return this.queues.some(({ length }) => length > 0) || this.lanes.some(({ layers }) => layers.length > 0);
  }

  /**
   * A pass has ended at `atNs`. `stageFreeNs`: [stages] when each is free, Infinity while a step is in it; steps that have to wait
   * for experts find it later.
   */
  passed(stageFreeNs: Float64Array, atNs: number): void {
    const { plan } = this.setting;
    const moved = this.moving;
    if (moved && plan.moves === "between") this.moveBetween(stageFreeNs, atNs);
    else if (moved) this.land(stageFreeNs, atNs);
    const order = this.rebalancer.passed({
      moving: plan.moves === "between" ? moved : this.moving,
      utilisation: this.balance.utilisation,
    });
    if (order === null) return;
    if (order === "skip") this.skipped++;
    else {
      this.rebalances++;
      this.ask(order);
      if (plan.moves !== "between") this.leave(atNs);
      else if (order.length <= plan.layersAtOnce) this.moveBetween(stageFreeNs, atNs);
    }
    if (plan.windowPasses === null) this.window.clear(order === "skip" ? this.allLayers() : order);
    this.balance.forget();
  }

  /** A step enters a stage: the time that it waited there for experts to move, ns. */
  entered(stage: number): number {
    const ns = this.owedNs[stage]!;
    this.owedNs[stage] = 0;
    return ns;
  }

  /** A step leaves a stage: how long the stage has to stand still from now on, ns. */
  left(stage: number): number {
    const ns = this.pendingNs[stage]!;
    this.pendingNs[stage] = 0;
    this.owedNs[stage]! += ns;
    return ns;
  }

  /**
   * How much longer a stage of `ns` from `beganNs` on takes because its exchanges, `exchangeNs` in all, share links with experts on
   * their way: each gets half, so that an exchange and what moves beside it are as much later. Exchanges are taken as spread evenly
   * over the stage.
   */
  besideNs(stage: number, beganNs: number, ns: number, exchangeNs: number): number {
    const lane = this.lanes[stage]!;
    if (lane.layers.length === 0 || !this.setting.times[stage]!.sharesLinks) return 0;
    const together = Math.min(lane.endNs, beganNs + ns) - Math.max(lane.beginNs, beganNs);
    if (!(together > 0)) return 0;
    const laterNs = together * Math.min(1, exchangeNs / ns);
    lane.endNs += laterNs;
    return laterNs;
  }

  /** The replica has lost its experts, and starts with the first map again. */
  forget(): void {
    const { plan, initial, visits } = this.setting;
    this.rebalancer = plan.create(visits.length);
    this.map.logicalExperts.set(initial.logicalExperts);
    for (const queue of this.queues) queue.length = 0;
    for (const lane of this.lanes) lane.layers = [];
    this.owedNs.fill(0);
    this.pendingNs.fill(0);
    this.window.clear(this.allLayers());
    this.balance.forget();
    this.use(this.map, visits.flat());
  }

  private allLayers(): number[] {
    return this.setting.visits.map((_, layer) => layer);
  }

  /** Asks for a new map of some layers, and queues them. */
  private ask(layers: readonly number[]): void {
    const { placement, values, nodes, groups, limits, stageOf, visits } = this.setting;
    const { experts, ranks, physicalExpertsPerRank } = this.map;
    const physicalExperts = ranks * physicalExpertsPerRank;
    const previous = new Uint16Array(layers.length * physicalExperts);
    for (const [i, layer] of layers.entries()) previous.set(this.slots(visits[layer]![0]!), i * physicalExperts);
    const rooms = limits.rooms && roomsOf(limits.rooms, layers, ranks);
    const input = {
      ...limits,
      layers: layers.length,
      experts,
      ranks,
      nodes,
      groups,
      physicalExperts,
      ...(rooms === undefined ? {} : { rooms }),
      loads: this.window.loads(layers),
      ...(placement.needs.includes("windows") ? { windows: this.window.stretches(layers) } : {}),
      previous: { ...this.map, layers: layers.length, logicalExperts: previous },
    };
    const made = placement.place(input, values);
    const problems = placementProblems(made);
    holds(problems.length === 0, "expert-map", () => `${problems[0]!.at}: ${problems[0]!.expected}`);
    for (const [i, layer] of layers.entries()) {
      const from = i * physicalExperts;
      this.target.set(made.logicalExperts.subarray(from, from + physicalExperts), layer * physicalExperts);
      this.queues[stageOf[layer]!]!.push(layer);
    }
  }

  /** The next layers move while the stages stand still, one after the other. */
  private moveBetween(stageFreeNs: Float64Array, atNs: number): void {
    let room = this.setting.plan.layersAtOnce;
    const changed: number[] = [];
    for (const [stage, queue] of this.queues.entries()) {
      const layers = queue.splice(0, room);
      if (layers.length === 0) continue;
      room -= layers.length;
      const ns = layers.reduce((sum, layer) => sum + this.setting.times[stage]!.ns(this.movesOf(layer, stage)), 0);
      changed.push(...layers);
      this.hold(stage, ns, stageFreeNs, atNs);
    }
    this.put(changed);
  }

  /** The next layers of every stage that moves none leave. */
  private leave(atNs: number): void {
    for (const [stage, lane] of this.lanes.entries()) {
      if (lane.layers.length > 0) continue;
      lane.layers = this.queues[stage]!.splice(0, this.setting.plan.layersAtOnce);
      const moves = lane.layers.map((layer) => this.setting.times[stage]!.ns(this.movesOf(layer, stage)));
      // What held up this pass ends first.
      lane.beginNs = Math.max(atNs, lane.endNs);
      lane.endNs = moves.reduce((sum, ns) => sum + ns, lane.beginNs);
    }
  }

  /** Layers whose experts have arrived change to their new map, and the next ones leave. */
  private land(stageFreeNs: Float64Array, atNs: number): void {
    const changed: number[] = [];
    for (const [stage, lane] of this.lanes.entries()) {
      if (this.setting.plan.moves === "withinPass" && lane.endNs > atNs)
        this.hold(stage, lane.endNs - atNs, stageFreeNs, atNs);
      else if (lane.endNs > atNs) continue;
      changed.push(...lane.layers);
      lane.layers = [];
    }
    this.put(changed);
    this.leave(atNs);
  }

  /** A stage stands still for a while: from now on, or once the step in it has left. */
  private hold(stage: number, ns: number, stageFreeNs: Float64Array, atNs: number): void {
    const whole = Math.round(ns);
    if (stageFreeNs[stage] === Number.POSITIVE_INFINITY) {
      this.pendingNs[stage]! += whole;
      return;
    }
    stageFreeNs[stage] = Math.max(stageFreeNs[stage]!, atNs) + whole;
    this.owedNs[stage]! += whole;
  }

  /** What a layer has to move to its new map, counted. */
  private movesOf(layer: number, stage: number): ExpertMove[] {
    const { visits, times, expertBytes } = this.setting;
    const from = this.slots(visits[layer]![0]!);
    const moves = expertMoves(
      from,
      this.target.subarray(layer * from.length, (layer + 1) * from.length),
      times[stage]!.nodeOf,
    );
    this.movedExperts += moves.length;
    this.movedBytes += moves.length * expertBytes;
    return moves;
  }

  private put(layers: readonly number[]): void {
    if (layers.length === 0) return;
    const { visits } = this.setting;
    for (const layer of layers)
      for (const visit of visits[layer]!) {
        const slots = this.slots(visit);
        slots.set(this.target.subarray(layer * slots.length, (layer + 1) * slots.length));
      }
    this.use(
      this.map,
      layers.flatMap((layer) => visits[layer]!),
    );
  }

  /** [slots] the map in use of a MoE layer or visit. */
  private slots(visit: number): Uint16Array {
    const { ranks, physicalExpertsPerRank, logicalExperts } = this.map;
    const count = ranks * physicalExpertsPerRank;
    return logicalExperts.subarray(visit * count, (visit + 1) * count);
  }
}

/** [layers asked for][ranks] of [layers][ranks] copies that a rank may hold. */
function roomsOf(rooms: Uint16Array, layers: readonly number[], ranks: number): Uint16Array {
  const some = new Uint16Array(layers.length * ranks);
  for (const [i, layer] of layers.entries()) some.set(rooms.subarray(layer * ranks, (layer + 1) * ranks), i * ranks);
  return some;
}
