import { holds, refuse } from "../core/errors.ts";
import { RandomStream } from "../core/random.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { Workload } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { RequestTable } from "../trace/request-table.ts";
import type { ArrivalSpec } from "../trace/requests/generate/arrivals.ts";
import { generateRequests } from "../trace/requests/generate/generate-requests.ts";
import type { ClassSpec, PhaseSpec } from "../trace/requests/generate/generate-spec.ts";
import type { LengthSpec } from "../trace/requests/generate/lengths.ts";
import { generateSharedPrefix } from "../trace/requests/generate/shared-prefix.ts";
import type { LoadRequestsOptions } from "../trace/requests/load-options.ts";
import { loadRequests } from "../trace/requests/load-requests.ts";
import { columnsOf } from "../trace/requests/table-columns.ts";
import { located, locatedAsync } from "./located.ts";

type Generated = Extract<Scenario["traffic"], { kind: "generated" }>;
type SharedPrefix = Extract<Scenario["traffic"], { kind: "sharedPrefix" }>;
type Recorded = Extract<Scenario["traffic"], { kind: "trace" }>;
type Arrivals = Generated["arrivals"];

const nsPerSecond = 1e9;

/** The requests of a scenario, and how they arrive. */
export async function resolveWorkload(scenario: Scenario): Promise<Workload> {
  const { traffic } = scenario;
  const requests = await requestsOf(scenario, traffic);
  const { arrivals } = traffic;
  return arrivals.kind === "closed"
    ? { kind: "closed", requests, concurrency: arrivals.maxConcurrency }
    : { kind: "open", requests };
}

function requestsOf(scenario: Scenario, traffic: Scenario["traffic"]): RequestTable | Promise<RequestTable> {
  switch (traffic.kind) {
    case "trace":
      return recorded(scenario, traffic);
    case "sharedPrefix":
      return sharedPrefix(scenario, traffic);
    case "generated":
      return generated(scenario, traffic);
  }
}

function sharedPrefix(scenario: Scenario, traffic: SharedPrefix): RequestTable {
  const { groups, promptsPerGroup, order } = traffic;
  return located(scenario, ["traffic"], () =>
    generateSharedPrefix(
      {
        arrivals: arrivalsOf(traffic.arrivals),
        groups,
        promptsPerGroup,
        order,
        prefix: lengthOf(traffic.prefix),
        question: lengthOf(traffic.question),
        output: lengthOf(traffic.osl),
      },
      new RandomStream(scenario.seed, "traffic"),
    ),
  );
}

function generated(scenario: Scenario, traffic: Generated): RequestTable {
  const classes: ClassSpec[] =
    traffic.classes === undefined
      ? [{ name: "all", lengths: { prompt: lengthOf(traffic.isl), output: lengthOf(traffic.osl) } }]
      : traffic.classes.map(({ name, share, isl, osl, domains }) => ({
          name,
          ...(share === undefined ? {} : { weight: share }),
          lengths: { prompt: lengthOf(isl), output: lengthOf(osl) },
          ...(domains === undefined ? {} : { domains }),
        }));
  return located(scenario, ["traffic"], () =>
    generateRequests(
      {
        arrivals: arrivalsOf(traffic.arrivals),
        classes,
        ...(traffic.phases === undefined ? {} : { phases: traffic.phases.map(phaseOf) }),
        ...(traffic.requests === undefined ? {} : { requests: traffic.requests }),
      },
      new RandomStream(scenario.seed, "traffic"),
    ),
  );
}

type Phase = NonNullable<Generated["phases"]>[number];

const phaseOf = ({ requests, shares, rampTo }: Phase): PhaseSpec => ({
  ...(requests === undefined ? {} : { requests }),
  weights: shares,
  ...(rampTo === undefined ? {} : { toWeights: rampTo }),
});

async function recorded(scenario: Scenario, traffic: Recorded): Promise<RequestTable> {
  const { arrivals } = traffic;
  const replayed = arrivals.kind === "recorded" ? arrivals : null;
  const { columns: names } = traffic;
  const columns =
    names === undefined ? {} : { columns: located(scenario, ["traffic", "columns"], () => columnsOf(names)) };
  const table = await locatedAsync(scenario, ["traffic", "file"], () =>
    loadRequests(traffic.format, fromScenario(scenario.file, traffic.file), {
      seed: scenario.seed,
      arrivals: replayed === null ? "optional" : "needed",
      ...columns,
      ...readAs(traffic),
      ...(traffic.thin === undefined ? {} : { thin: traffic.thin }),
      ...(traffic.requests === undefined ? {} : { limit: traffic.requests }),
      ...(traffic.class === undefined ? {} : { class: traffic.class }),
      ...(traffic.domain === undefined ? {} : { domain: traffic.domain }),
      ...(replayed === null ? {} : { rateScale: replayed.rateScale }),
      ...(replayed?.jitterQuantum === undefined ? {} : { jitterQuantumNs: replayed.jitterQuantum }),
    }),
  );
  if (replayed === null && table.turns !== undefined)
    located(scenario, ["traffic", "arrivals"], () =>
      refuse({
        expected: "arrivals as recorded, since requests of the trace wait for the answers of others",
        found: arrivals.kind,
      }),
    );
  if (arrivals.kind === "recorded" || arrivals.kind === "closed") return table;
  const domains = traffic.domain === undefined ? {} : { domains: { [traffic.domain]: 1 } };
  return located(scenario, ["traffic"], () =>
    generateRequests(
      {
        arrivals: arrivalsOf(arrivals),
        classes: [{ name: traffic.class ?? "all", lengths: { lengthsFrom: "trace" }, ...domains }],
        requests: table.count,
      },
      new RandomStream(scenario.seed, "traffic"),
      { trace: table },
    ),
  );
}

/** How a trace is to be read, where the scenario says so. */
function readAs({ timeUnit, blockTokens, turnPrompts, from, until }: Recorded): LoadRequestsOptions {
  return {
    ...(timeUnit === undefined ? {} : { timeUnit }),
    ...(blockTokens === undefined ? {} : { blockTokens }),
    ...(turnPrompts === undefined ? {} : { turnPrompts }),
    ...(from === undefined ? {} : { fromNs: from }),
    ...(until === undefined ? {} : { untilNs: until }),
  };
}

/** The law of a length. The schema refused absent ones. */
function lengthOf(length: Generated["isl"]): LengthSpec {
  holds(length !== undefined, "validated-lengths", () => "a length is missing after validation");
  if (length.kind === "fixed" || length.kind === "uniform") return length;
  const { min, max, ...law } = length;
  const clip = {
    ...(min === undefined ? {} : { minTokens: min }),
    ...(max === undefined ? {} : { maxTokens: max }),
  };
  if (law.kind !== "lognormal") return { ...law, ...clip };
  const { kind, mean, sigma, p50 } = law;
  return sigma === undefined ? { kind, mean, p50: p50 ?? mean, ...clip } : { kind, mean, sigma, ...clip };
}

/** Arrivals in the generator's words; null for a closed loop: its arrivals follow from completions. */
function arrivalsOf(arrivals: Arrivals): ArrivalSpec | null {
  switch (arrivals.kind) {
    case "closed":
      return null;
    case "poisson":
    case "constant":
      return { kind: arrivals.kind, ratePerSecond: arrivals.requestRate };
    case "gamma":
      return { kind: "gamma", ratePerSecond: arrivals.requestRate, burstiness: arrivals.burstiness };
    case "onOff":
      return {
        kind: "onOff",
        onRatePerSecond: arrivals.onRate,
        offRatePerSecond: arrivals.offRate ?? 0,
        onMeanSeconds: arrivals.onMean / nsPerSecond,
        offMeanSeconds: arrivals.offMean / nsPerSecond,
      };
    case "stages":
      return {
        kind: "stages",
        process: arrivals.process,
        stages: arrivals.stages.map(({ rate, rampTo, duration }) => ({
          ratePerSecond: rate,
          ...(rampTo === undefined ? {} : { toRatePerSecond: rampTo }),
          seconds: duration / nsPerSecond,
        })),
      };
  }
}

/** The ledger's entries on the requests. */
export function requestLedger(workload: Workload): LedgerEntry[] {
  const { requests } = workload;
  const { origin } = requests;
  const notes = origin.notes.length === 0 ? "" : `; ${origin.notes.join("; ")}`;
  const entries: LedgerEntry[] = [
    {
      topic: "requests",
      fidelity: origin.kind === "recorded" ? "replayed" : "generated",
      detail: `${requests.count} requests of ${origin.name}${notes}`,
    },
  ];
  for (const { topic, detail } of origin.assumptions ?? []) entries.push({ topic, fidelity: "assumed", detail });
  if (workload.kind === "closed")
    entries.push({
      topic: "arrivals",
      fidelity: "generated",
      detail: `closed loop of ${workload.concurrency} clients without think time`,
    });
  return entries;
}
