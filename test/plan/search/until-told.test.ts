import { expect, test } from "vitest";
import type { Outcome } from "../../../src/plan/job/job.ts";
import { untilTold } from "../../../src/plan/search/until-told.ts";
import { done } from "../outcomes.ts";

const rungs = [
  { requests: 100, settings: ["traffic.requests=100"], decides: false },
  { requests: 400, settings: [], decides: true },
  { requests: 800, settings: ["traffic.requests=800"], decides: true },
  { requests: 1600, settings: ["traffic.requests=1600"], decides: true },
];

/** Settings of a run to what it shows; every run is kept in `made`. */
async function told(kinds: readonly string[], show: (kind: string, settings: readonly string[]) => Outcome) {
  const made: string[] = [];
  const asked = kinds.map((kind) => [kind]);
  const found = await untilTold(rungs, asked, async (runs) =>
    runs.map(([kind, ...settings]) => {
      made.push([kind, ...settings].join(" "));
      return show(kind!, settings);
    }),
  );
  return { requests: found.map(({ rung }) => rung.requests), made };
}

const open = done({}, { verdict: "tooShort", strainAtBest: 0.9 });
const beyond = done({}, { verdict: "tooShort", strainAtBest: 1.1 });

test("only what leaves open whether it keeps up is run longer, and no run is made twice", async () => {
  const { requests, made } = await told(["never", "plain", "second", "misses"], (kind, settings) => {
    if (kind === "never") return open;
    if (kind === "second") return settings.length === 0 ? open : done({});
    return kind === "misses" ? beyond : done({});
  });
  expect(requests).toEqual([1600, 400, 800, 400]);
  expect(made).toEqual([
    "never",
    "plain",
    "second",
    "misses",
    "never traffic.requests=800",
    "second traffic.requests=800",
    "never traffic.requests=1600",
  ]);
});
