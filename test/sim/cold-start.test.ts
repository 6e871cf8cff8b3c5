import { describe, expect, test } from "vitest";
import { simulate } from "../../src/sim/simulate.ts";
import { singleDevice, testConfig, testRequests } from "./build.ts";

const requests = testRequests(Array.from({ length: 20 }, (_, i) => ({ at: 5e9 + i * 2e6, prompt: 50, output: 4 })));

describe("replicas that are not ready", () => {
  test("serve nobody before they are, and then everybody who waits at once", () => {
    const readyNs = 1e9;
    const {
      requests: rows,
      endNs,
      replicaBusyNs,
    } = simulate(testConfig({ readyNs, replicas: 2, workload: { kind: "open", requests } }));
    expect(Math.min(...rows.scheduledNs)).toBe(readyNs);
    expect(rows.scheduledNs.filter((at) => at === readyNs).length).toBeGreaterThan(10);
    for (const busyNs of replicaBusyNs) expect(busyNs).toBeLessThanOrEqual(endNs - readyNs);
  });

  test("are as good as ready when they load before the first arrival reaches them, with pipeline stages too", () => {
    const mapping = { ...singleDevice, pp: 2 };
    const config = testConfig({ mapping, workload: { kind: "open", requests } });
    const first = simulate(config).requests.scheduledNs[0]!;
    expect(simulate({ ...config, readyNs: first }).requests.firstTokenNs).toEqual(
      simulate(config).requests.firstTokenNs,
    );
    const late = simulate({ ...config, readyNs: 3e8 });
    expect(late.requests.firstTokenNs[0]).toBeGreaterThan(3e8);
  });

  test("hold up the clients of a closed loop only once", () => {
    const closed = testConfig({ workload: { kind: "closed", requests, concurrency: 4 } });
    const warm = simulate(closed);
    const cold = simulate({ ...closed, readyNs: 1e9 });
    expect(cold.endNs).toBe(warm.endNs + 1e9);
  });
});
