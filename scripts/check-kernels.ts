/**
 * Compares forecast expert kernels and exchanges with measured ones: npm run check:kernels -- <data folder>. Prints
 * the errors of the maps, then the skew penalty, the benefit of EPLB and DeepEP's latencies, measured and forecast, and
 * exits with 1 where the forecast misses their shape: who wins, where the peak is, where redundancy loses.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { printCheckSets } from "./kernels/check-sets.ts";
import { checkDeepEp } from "./kernels/deepep.ts";
import { checkEplb } from "./kernels/eplb.ts";
import { checkEplbSimulated } from "./kernels/eplb-simulated.ts";
import { printMapErrors } from "./kernels/map-errors.ts";
import { checkSkew } from "./kernels/skew.ts";

async function main(): Promise<void> {
  const [folder] = process.argv.slice(2);
  if (folder === undefined || !existsSync(join(folder, "kernels", "moe"))) {
    console.error(`check:kernels needs the data folder with kernels/moe; found ${folder ?? "no argument"}`);
    process.exitCode = 2;
    return;
  }
  const experts = join(folder, "kernels", "moe");
  printMapErrors();
  await printCheckSets(join(folder, "kernels"));
  const problems = [
    ...(await checkSkew(experts)),
    ...(await checkEplb(experts)),
    ...(await checkEplbSimulated(experts)),
    ...checkDeepEp(join(folder, "deepep_eplb", "deepep_published.csv")),
  ];
  for (const problem of problems) console.log(`FAILED ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

await main();
