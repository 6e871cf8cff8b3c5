import type { Scenario } from "../../scenario/parse-scenario.ts";
import { cost } from "../objectives/cost.ts";
import { figureOf } from "../objectives/figure-of.ts";
import type { Evaluator } from "../search/evaluator.ts";
import { meetsAll, shortfallOf } from "../search/judge-track.ts";
import type { Rung } from "../search/rungs.ts";
import { untilTold } from "../search/until-told.ts";
import type { Candidate } from "../space/candidates.ts";
import type { PlanQuestion } from "../space/question.ts";
import { lengthSettings, rateSettings } from "../space/traffic-scale.ts";

/** What a change of the question makes of the deployment that was chosen. */
export interface Sensitivity {
  /** `requests x 1.25`. */
  readonly change: string;
  /** null: it cannot be changed in this scenario. */
  readonly outcome: {
    readonly meets: boolean;
    /** Why not; null where it does. */
    readonly broken: string | null;
    readonly binding: string | null;
    readonly strain: number | null;
    readonly tpotP50Ms: number | null;
    readonly ttftP99Ms: number | null;
    readonly usdPerMtok: number | null;
  } | null;
}

const steps = [0.75, 1.25, 1.5] as const;

/** A change of the question. */
interface Change {
  /** What it is called. */
  readonly change: string;
  readonly settings: readonly string[] | null;
  /** Of a device, as a multiple of what it is: a bill is in proportion, and no run differs. */
  readonly price?: number;
  /** Output tokens that are offered per second, as a multiple of what they are. */
  readonly offered?: number;
}

function changesOf(scenario: Scenario): Change[] {
  const skewed = skewSettings(scenario.routing.kind);
  return [
    { change: "as it is", settings: [] },
    ...steps.map((step) => ({
      change: `request rate x ${step}`,
      settings: rateSettings(scenario, step),
      offered: step,
    })),
    ...[0.75, 1.25].map((step) => ({ change: `prompts x ${step}`, settings: lengthSettings(scenario, "isl", step) })),
    ...[0.75, 1.25].map((step) => ({
      change: `outputs x ${step}`,
      settings: lengthSettings(scenario, "osl", step),
      offered: step,
    })),
    ...[0.75, 1.25].map((price) => ({ change: `price of a device x ${price}`, settings: [], price })),
    { change: "routing without skew", settings: skewed === null ? null : skewed("even") },
    { change: "routing with strong skew", settings: skewed === null ? null : skewed("strong") },
  ];
}

/** Popularity whose variation is that of even and of strongly skewed experts; recorded routing is what it is. */
function skewSettings(kind: string): ((skew: "even" | "strong") => string[]) | null {
  if (kind !== "uniform" && kind !== "parametric") return null;
  return (skew) => [
    ...(kind === "parametric" ? ["routing.skew=null"] : []),
    `routing.popularityCv=${skew === "even" ? 0 : 1.5}`,
  ];
}

/** Runs the chosen deployment, with settings of the traffic under which it was found, under every change, as long as it takes to tell. */
export async function sensitivities(
  chosen: Candidate,
  extra: readonly string[],
  question: PlanQuestion,
  { evaluator, rungs }: { readonly evaluator: Evaluator; readonly rungs: readonly Rung[] },
): Promise<Sensitivity[]> {
  const changes = changesOf(question.scenario.vary(extra));
  // What arrives at the rate of the question is paid for as the objective counts it; at another one, as the run does.
  const isOffered =
    question.traffic.ratePerSecond !== null &&
    chosen.usdPerHour !== null &&
    !extra.some((setting) => setting.startsWith("traffic.arrivals"));
  const runs = changes.filter(({ settings }) => settings !== null);
  const told = await untilTold(
    rungs,
    runs.map(({ settings }) => [...chosen.settings, ...extra, ...settings!]),
    (asked) => evaluator.outcomes(asked),
  );
  return changes.map(({ change, settings, price = 1, offered = 1 }) => {
    if (settings === null) return { change, outcome: null };
    const { outcome } = told[runs.findIndex((run) => run.change === change)]!;
    const meets = meetsAll(outcome, question.traffic);
    const usdPerMtok =
      // What is overloaded serves less than is offered.
      outcome.status !== "done" || outcome.verdict === "overloaded"
        ? null
        : isOffered
          ? cost.of(chosen, outcome, question.traffic)! / offered
          : figureOf(outcome, "costUsdPerMtok");
    return {
      change,
      outcome: {
        meets,
        broken: meets ? null : shortfallOf(outcome, question.traffic),
        binding: outcome.binding,
        strain: outcome.strain,
        tpotP50Ms: outcome.status === "done" ? figureOf(outcome, "tpot.p50") : null,
        ttftP99Ms: outcome.status === "done" ? figureOf(outcome, "ttft.p99") : null,
        usdPerMtok: usdPerMtok === null ? null : usdPerMtok * price,
      },
    };
  });
}
