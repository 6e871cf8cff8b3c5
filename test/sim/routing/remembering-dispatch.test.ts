import { expect, test } from "vitest";
import type { DispatchPolicy } from "../../../src/policy/dispatch/dispatch.ts";
import { dispatches } from "../../../src/policy/dispatch/dispatches.ts";
import type { Placement } from "../../../src/policy/placement/placement.ts";
import type { SimConfig } from "../../../src/sim/config.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { singleDevice, testConfig, testRequests, testRouting } from "../build.ts";

/** Eight experts on two ranks, the first four on both. */
const placement: Placement = {
  layers: 4,
  experts: 8,
  ranks: 2,
  physicalExpertsPerRank: 6,
  logicalExperts: Uint16Array.from(Array.from({ length: 4 }, () => [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 6, 7]).flat()),
};

const remembering = Object.values<DispatchPolicy>(dispatches).filter(({ remembers }) => remembers === true);

/** Ends of the steps of every replica. */
function stepEnds(policy: DispatchPolicy, overrides: Partial<SimConfig>): number[] {
  const ends: number[] = [];
  const simulation = new Simulation(
    testConfig({
      mapping: { ...singleDevice, dp: 2, ep: 2 },
      placement,
      dispatch: { policy, values: policy.name === "dual-ascent" ? { u: 0.5 } : {}, loads: null },
      routing: { kind: "replay", table: testRouting(4, 8, 2, 300, 5), layerMap: [0, 1, 2, 3], start: "zero" },
      ...overrides,
    }),
    (_ns, end) => ends.push(end),
  );
  while (!simulation.advance(1000));
  return ends;
}

test.each(remembering.map((policy) => [policy.name, policy] as const))(
  "%s: a replica does as it would alone, whatever another does",
  (_name, policy) => {
    const requests = (of: number) => testRequests(Array.from({ length: of }, () => ({ prompt: 40, output: 12 })));
    const alone = stepEnds(policy, { workload: { kind: "open", requests: requests(1) } });
    const both = stepEnds(policy, { replicas: 2, workload: { kind: "open", requests: requests(2) } });
    // The same request on each: every step comes twice.
    expect(both.filter((_, i) => i % 2 === 0)).toEqual(both.filter((_, i) => i % 2 === 1));
    expect(both.length).toBe(2 * alone.length);
  },
);
