import { parseArgs } from "node:util";
import { MoecastError } from "../src/core/errors.ts";
import { forecastScenario } from "../src/forecast/forecast-scenario.ts";
import { parseScenario } from "../src/scenario/parse-scenario.ts";
import { randomDeployment } from "./random-deployment.ts";

/**
 * Forecasts random deployments: `npm run check:deployments -- --count 2000 --seed 1 --from 0`. Each must end in a forecast
 * or in an error for people (exit codes 2 to 4), in bounded time; anything else is printed with its scenario and fails.
 */
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});
const [count, seed, from] = [values.count, values.seed, values.from].map(Number) as [number, number, number];
const secondsMax = 20;

const outcomes = new Map<string, number>();
let wrong = 0;
for (let index = from; index < from + count; index++) {
  const text = randomDeployment(seed, index);
  const began = performance.now();
  const outcome = await outcomeOf(text);
  const seconds = (performance.now() - began) / 1000;
  outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1);
  if (outcome.detail === null && seconds < secondsMax) continue;
  wrong++;
  console.log(`${text}# index ${index}: ${outcome.kind}, ${seconds.toFixed(1)} s\n${outcome.detail ?? ""}\n`);
}
for (const [kind, times] of [...outcomes].sort((a, b) => b[1] - a[1])) console.log(`${kind}: ${times}`);
console.log(`${count - wrong} passed, ${wrong} failed`);
process.exitCode = wrong === 0 ? 0 : 1;

async function outcomeOf(text: string): Promise<{ readonly kind: string; readonly detail: string | null }> {
  try {
    const readText = () => Promise.reject(new Error("no file is named"));
    const { load } = await forecastScenario(parseScenario(text, "random.yaml"), { readText });
    return { kind: `forecast, ${load.verdict}`, detail: null };
  } catch (error) {
    if (error instanceof MoecastError && error.exitCode !== 1)
      return { kind: `${error.name}, exit ${error.exitCode}`, detail: null };
    return { kind: "defect", detail: (error as Error).stack ?? String(error) };
  }
}
