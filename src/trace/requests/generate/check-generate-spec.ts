import { InvalidInputError, type Problem } from "../../../core/errors.ts";
import type { RequestTable } from "../../request-table.ts";
import { type ArrivalSpec, meanRatePerSecond } from "./arrivals.ts";
import type { ClassSpec, GenerateSpec } from "./generate-spec.ts";
import type { LengthSpec } from "./lengths.ts";
import { type Stage, stageTotals } from "./staged-arrivals.ts";

export const requestsMax = 1 << 25;
const cyclesPerArrivalMax = 1e6;
const tokensMax = 0xffff_ffff;

export type Check = (
  at: string,
  value: number | undefined,
  expected: string,
  accepts: (value: number) => boolean,
) => boolean;

const positive = (value: number): boolean => value > 0 && Number.isFinite(value);
const notNegative = (value: number): boolean => value >= 0 && Number.isFinite(value);
export const tokens = (value: number): boolean => Number.isSafeInteger(value) && value >= 1 && value <= tokensMax;
const positiveText = "a finite number above 0";
const tokensText = "a whole number of tokens, 1 or more";

/** Refuses a spec whose numbers cannot be drawn from, with every problem found. */
export function checkGenerateSpec(spec: GenerateSpec, tables: Readonly<Record<string, RequestTable>>): void {
  const problems: Problem[] = [];
  const check: Check = (at, value, expected, accepts) => {
    const right = typeof value === "number" && accepts(value);
    if (!right) problems.push({ at, expected, found: value });
    return right;
  };
  if (spec.requests !== undefined)
    check("requests", spec.requests, `a whole number from 1 to ${requestsMax}`, (n) => tokens(n) && n <= requestsMax);
  if (spec.durationSeconds !== undefined) check("durationSeconds", spec.durationSeconds, positiveText, positive);
  const ends = spec.arrivals !== null && (spec.arrivals.kind === "stages" || spec.durationSeconds !== undefined);
  if (spec.requests === undefined && !ends)
    problems.push({ at: "requests", expected: "how many requests, or arrivals with durationSeconds" });
  if (spec.arrivals !== null) checkArrivals(spec.arrivals, spec, check);
  checkClasses(spec.classes, tables, problems, check);
  checkPhases(spec, problems, check);
  if (problems.length > 0) throw new InvalidInputError(problems);
}

export function checkArrivals(
  arrivals: ArrivalSpec,
  spec: Pick<GenerateSpec, "requests" | "durationSeconds">,
  check: Check,
): void {
  const at = "arrivals";
  if (arrivals.kind === "onOff") {
    const sound = [
      check(`${at}.onRatePerSecond`, arrivals.onRatePerSecond, "a finite rate, 0 or more", notNegative),
      check(`${at}.offRatePerSecond`, arrivals.offRatePerSecond, "a finite rate, 0 or more", notNegative),
      check(`${at}.onMeanSeconds`, arrivals.onMeanSeconds, positiveText, positive),
      check(`${at}.offMeanSeconds`, arrivals.offMeanSeconds, positiveText, positive),
    ];
    if (sound.includes(false)) return;
    const perCycle = meanRatePerSecond(arrivals) * (arrivals.onMeanSeconds + arrivals.offMeanSeconds);
    const expected = `at least one arrival in ${cyclesPerArrivalMax} cycles`;
    if (!check(at, perCycle, expected, (n) => n * cyclesPerArrivalMax >= 1)) return;
  } else if (arrivals.kind === "stages") {
    checkStages(arrivals.stages, `${at}.stages`, check);
    return;
  } else {
    if (!check(`${at}.ratePerSecond`, arrivals.ratePerSecond, positiveText, positive)) return;
    if (arrivals.kind === "gamma") check(`${at}.burstiness`, arrivals.burstiness, positiveText, positive);
  }
  if (spec.requests !== undefined || spec.durationSeconds === undefined) return;
  const expected = `at most ${requestsMax} requests in durationSeconds`;
  check(at, meanRatePerSecond(arrivals) * spec.durationSeconds, expected, (requests) => requests <= requestsMax);
}

function checkStages(stages: readonly Stage[], at: string, check: Check): void {
  const sound = stages.map(({ ratePerSecond, toRatePerSecond = ratePerSecond, seconds }, index) => [
    check(`${at}[${index}].ratePerSecond`, ratePerSecond, "a finite rate, 0 or more", notNegative),
    check(`${at}[${index}].toRatePerSecond`, toRatePerSecond, "a finite rate, 0 or more", notNegative),
    check(`${at}[${index}].seconds`, seconds, positiveText, positive),
  ]);
  if (sound.flat().includes(false)) return;
  const { arrivals } = stageTotals(stages);
  check(at, arrivals, `1 to ${requestsMax} requests over all stages`, (n) => n >= 1 && n <= requestsMax);
}

function checkClasses(
  classes: readonly ClassSpec[],
  tables: Readonly<Record<string, RequestTable>>,
  problems: Problem[],
  check: Check,
): void {
  if (classes.length === 0) problems.push({ at: "classes", expected: "at least one class" });
  const names = new Set<string>();
  const labelled = classes.filter(({ domains }) => domains !== undefined).length;
  if (labelled > 0 && labelled < classes.length)
    problems.push({ at: "classes", expected: "domains for all classes or for none", found: labelled });
  for (const [index, { name, weight, lengths, domains }] of classes.entries()) {
    const at = `classes[${index}]`;
    if (names.has(name)) problems.push({ at: `${at}.name`, expected: "names that differ", found: name });
    names.add(name);
    if (weight !== undefined) check(`${at}.weight`, weight, positiveText, positive);
    for (const [domain, share] of Object.entries(domains ?? {}))
      check(`${at}.domains.${domain}`, share, positiveText, positive);
    if (domains !== undefined && Object.keys(domains).length === 0)
      problems.push({ at: `${at}.domains`, expected: "at least one domain" });
    if (!("lengthsFrom" in lengths)) {
      checkLength(`${at}.lengths.prompt`, lengths.prompt, check);
      checkLength(`${at}.lengths.output`, lengths.output, check);
    } else if (!Object.hasOwn(tables, lengths.lengthsFrom) || tables[lengths.lengthsFrom]?.count === 0) {
      const known = Object.keys(tables).join(", ") || "none";
      const expected = `a request table with requests (given: ${known})`;
      problems.push({ at: `${at}.lengths.lengthsFrom`, expected, found: lengths.lengthsFrom });
    }
  }
}

function checkPhases({ phases, classes }: GenerateSpec, problems: Problem[], check: Check): void {
  if (phases === undefined) return;
  if (phases.length === 0) problems.push({ at: "phases", expected: "at least one phase" });
  const known = new Set(classes.map(({ name }) => name));
  for (const [index, { requests, weights, toWeights }] of phases.entries()) {
    const at = `phases[${index}]`;
    if (requests !== undefined || index < phases.length - 1 || toWeights !== undefined)
      check(
        `${at}.requests`,
        requests,
        `a whole number from 1 to ${requestsMax}`,
        (n) => tokens(n) && n <= requestsMax,
      );
    for (const [key, given] of Object.entries({ weights, toWeights })) {
      if (given === undefined) continue;
      for (const [name, weight] of Object.entries(given)) {
        if (!known.has(name)) problems.push({ at: `${at}.${key}`, expected: "names of classes", found: name });
        check(`${at}.${key}.${name}`, weight, "a finite number, 0 or more", notNegative);
      }
      const sum = Object.values(given).reduce((total, weight) => total + weight, 0);
      check(`${at}.${key}`, sum, "a sum above 0", positive);
    }
  }
}

export function checkLength(at: string, spec: LengthSpec, check: Check): void {
  const { minTokens = 1, maxTokens = tokensMax } = spec;
  if (check(`${at}.minTokens`, minTokens, tokensText, tokens))
    check(`${at}.maxTokens`, maxTokens, `${minTokens} or more tokens`, (n) => tokens(n) && n >= minTokens);
  if (spec.kind === "fixed") {
    check(`${at}.tokens`, spec.tokens, tokensText, tokens);
    return;
  }
  if (spec.kind === "uniform") {
    if (check(`${at}.low`, spec.low, tokensText, tokens))
      check(`${at}.high`, spec.high, `${spec.low} or more tokens`, (n) => tokens(n) && n >= spec.low);
    return;
  }
  if (!check(`${at}.mean`, spec.mean, "a finite mean of 1 token or more", (mean) => mean >= 1 && positive(mean)))
    return;
  if (spec.kind === "gamma") check(`${at}.cv`, spec.cv, positiveText, positive);
  if (spec.kind !== "lognormal") return;
  if ("sigma" in spec) check(`${at}.sigma`, spec.sigma, "a finite number, 0 or more", notNegative);
  else check(`${at}.p50`, spec.p50, "a median above 0 and not above the mean", (p50) => p50 > 0 && p50 <= spec.mean);
}
