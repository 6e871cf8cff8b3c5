import type { Contradiction, Parameters, ParameterValues } from "../../core/parameters.ts";
import type { LivePlacementName } from "../placement/live-placements.ts";

/** What a rebalancer is told when a forward pass of its replica is over. */
export interface RebalanceView {
  /** Whether experts are on their way to new ranks. */
  readonly moving: boolean;
  /** Mean balancedness of the passes since a map was last asked for, at most 1: mean over heaviest rank, mean over layers. */
  readonly utilisation: number;
}

/** Layers whose experts are placed anew, numbered among those that hold experts. Null: nothing; `skip`: it was due, and not worth it. */
export type RebalanceOrder = readonly number[] | "skip" | null;

/** When one replica places experts anew. It is told of every forward pass, in order. */
export interface Rebalancer {
  passed(view: RebalanceView): RebalanceOrder;
}

/** How an engine places experts anew while it serves. */
export interface RebalancePlan {
  /** Who makes the new map. */
  readonly placement: LivePlacementName;
  /** Forward passes whose loads the new map is made from, the latest ones. Null: all since a layer was last placed. */
  readonly windowPasses: number | null;
  /** Layers whose experts move at one time; Infinity: all that are to. */
  readonly layersAtOnce: number;
  /**
   * `between`: passes wait while experts move. `beside`: they move beside passes, and a layer's new map is in use from the pass
   * after their arrival. `withinPass`: beside the next pass, and the one after it waits for what has not arrived by then.
   */
  readonly moves: "between" | "beside" | "withinPass";
  /** Where a rank gets an expert that it lacks: from a rank that has it, or from a copy in its node's memory. */
  readonly source: "ranks" | "host";
  /** @param layers that hold experts */
  create(layers: number): Rebalancer;
}

/** How one kind of engine rebalances: one file each, listed in `rebalances.ts`. */
export interface RebalancePolicy<Shape extends Parameters = Parameters> {
  readonly name: string;
  /** What it does, as a scenario's schema says it. */
  readonly rule: string;
  readonly parameters: Shape;
  /** Absent: its parameters cannot contradict one another. */
  contradiction?(values: ParameterValues<Shape>): Contradiction | null;
  plan(values: ParameterValues<Shape>): RebalancePlan;
}
