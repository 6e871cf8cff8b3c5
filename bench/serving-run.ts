// One measured run in a process of its own, so that its peak memory is its own: `serving-run.ts <requests> <replay|expected>`.
import { simulate } from "../src/sim/simulate.ts";
import { workloadW } from "./serving-workload.ts";

const [requests, mode] = process.argv.slice(2);
const config = workloadW(Number(requests), mode === "replay");
const before = process.cpuUsage();
const startedNs = process.hrtime.bigint();
const result = simulate(config);
const wallS = Number(process.hrtime.bigint() - startedNs) / 1e9;
const { user, system } = process.cpuUsage(before);
process.stdout.write(
  JSON.stringify({
    cpuS: (user + system) / 1e6,
    wallS,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    simulatedS: result.endNs / 1e9,
    steps: result.steps,
  }),
);
