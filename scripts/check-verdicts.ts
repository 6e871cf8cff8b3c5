/**
 * Judges loads of 0.5 to 2 times the capacity of deployments whose capacity is known, with 100 to 3,000 requests and ten
 * seeds, and exits with 1 if one above 1.05 is called stable or one below 0.9 overloaded. Prints the share of each verdict,
 * and of the runs that were too short, more than a tenth away from the capacity, how many got a verdict with the number of
 * requests they asked for. Seeds are fixed.
 */
import { knownDeployments, verdictAt } from "../test/sim/outcome/load/known-capacity.ts";

const loads = [0.5, 0.7, 0.8, 0.89, 0.95, 1, 1.06, 1.2, 1.5, 2];
const counts = [100, 300, 1000, 3000];
const seeds = 10;
/** Longest run that is made to see whether the number asked for is enough. */
const askedMax = 6000;

let wrong = 0;
let asked = 0;
let answered = 0;
for (const [name, build] of Object.entries(knownDeployments)) {
  const known = build();
  console.log(`${name}: ${known.requestsPerSecond.toFixed(2)} requests/s; stable / overloaded / too short of ${seeds}`);
  console.log("requests".padEnd(10) + loads.map((load) => String(load).padStart(11)).join(""));
  for (const n of counts) {
    const cells = loads.map((load) => {
      const found = { stable: 0, overloaded: 0, tooShort: 0 };
      for (let seed = 1; seed <= seeds; seed++) {
        const { verdict, requestsNeeded } = verdictAt(known, load, n, seed);
        found[verdict]++;
        if ((verdict === "stable" && load > 1.05) || (verdict === "overloaded" && load < 0.9)) wrong++;
        if (requestsNeeded === null || requestsNeeded > askedMax || seed > 2 || Math.abs(load - 1) < 0.15) continue;
        asked++;
        if (verdictAt(known, load, requestsNeeded, seed).verdict !== "tooShort") answered++;
      }
      return `${found.stable} ${found.overloaded} ${found.tooShort}`.padStart(11);
    });
    console.log(String(n).padEnd(10) + cells.join(""));
  }
}
console.log(`${wrong} wrong; ${answered} of ${asked} runs that asked for so many requests were told by them`);
process.exitCode = wrong === 0 ? 0 : 1;
