import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { eplb } from "../../src/policy/placement/eplb.ts";

interface Example {
  readonly weight: number[][];
  readonly num_replicas: number;
  readonly num_groups: number;
  readonly num_nodes: number;
  readonly num_gpus: number;
  readonly phy2log: number[][];
}

test("eplb places the example of its reference exactly", () => {
  const example = JSON.parse(readFileSync(new URL("./eplb-example.json", import.meta.url), "utf8")) as Example;
  const placement = eplb.place({
    layers: example.weight.length,
    experts: example.weight[0]?.length ?? 0,
    ranks: example.num_gpus,
    nodes: example.num_nodes,
    groups: example.num_groups,
    physicalExperts: example.num_replicas,
    loads: Float64Array.from(example.weight.flat()),
  });
  expect([...placement.logicalExperts]).toEqual(example.phy2log.flat());
});
