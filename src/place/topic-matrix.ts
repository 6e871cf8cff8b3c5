import type { Placement } from "../policy/placement/placement.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import type { TopicMatrix } from "./comparison.ts";
import { layerLoadsOf, wholeBalance } from "./judge-map.ts";

/** A topic: its name and its rows. */
export interface Topic {
  readonly name: string;
  readonly table: RoutingTable;
}

/** Fits a map on each topic and judges it on each: rows fit, columns test. */
export async function topicMatrix(
  { policy, redundant }: { readonly policy: string; readonly redundant: number },
  topics: readonly Topic[],
  layerMap: readonly number[],
  current: Placement,
  mapOf: (table: RoutingTable) => Promise<Placement>,
): Promise<TopicMatrix> {
  const loads = topics.map(({ table }) => layerLoadsOf(table, layerMap));
  const judge = (placement: Placement) => loads.map((of) => wholeBalance(placement, of).maxOverMean);
  const maxOverMean: number[][] = [];
  for (const { table } of topics) maxOverMean.push(judge(await mapOf(table)));
  return { policy, redundant, topics: topics.map(({ name }) => name), maxOverMean, current: judge(current) };
}
