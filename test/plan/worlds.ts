import type { Executor } from "../../src/plan/execute/executor.ts";
import type { JobBase, Outcome } from "../../src/plan/job/job.ts";
import { makePlan, type PlanDeps } from "../../src/plan/make-plan.ts";
import { planQuestion } from "../../src/plan/space/question.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

/** A question of a small model on nodes of eight devices. */
export const smallText = `# Comment at the top.
version: 1
name: small
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8 } # eight devices
engine: { id: vllm, maxModelLen: 4096 }
traffic:
  kind: generated
  requests: 600
  arrivals: { kind: poisson, requestRate: 20/s }
  isl: { kind: fixed, tokens: 50 }
  osl: { kind: fixed, tokens: 10 }
routing: { kind: uniform }
slo:
  ttft: p(50)<1s
`;

const base = (settings: readonly string[] = [], text = smallText, file = "small.yaml"): JobBase => ({
  file,
  text,
  settings,
  params: {},
});

export const questionOf = (settings: readonly string[] = [], text = smallText) =>
  planQuestion(parseScenario(text, "small.yaml", { settings }));

export const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };

/** What a job asks for, as its settings say it. */
export interface Asked {
  readonly tp: number;
  readonly ep: number;
  readonly replicas: number;
  readonly devices: number;
  readonly requests: number;
  /** Requests per second as a multiple of those of the base. */
  readonly rate: number;
  /** Clients of a closed loop; null where arrivals are open. */
  readonly clients: number | null;
}

function asked(settings: readonly string[], all = 600, baseRate = 20): Asked {
  const of = (pattern: RegExp) => {
    const found = settings.findLast((setting) => pattern.test(setting));
    return found === undefined ? null : Number(pattern.exec(found)![1]);
  };
  const parallel = settings.findLast((setting) => setting.startsWith("parallel={"));
  const degrees = (parallel === undefined ? {} : JSON.parse(parallel.slice("parallel=".length))) as Record<
    string,
    number
  >;
  const { tp = 1, cp = 1, dp = 1, pp = 1, ep = 1, replicas = 1 } = degrees;
  return {
    tp,
    ep,
    replicas,
    devices: tp * cp * dp * pp * replicas,
    requests: of(/^traffic\.requests=(\d+)$/) ?? all,
    rate: (of(/^traffic\.arrivals\.requestRate=([\d.e+-]+)\/s$/) ?? baseRate) / baseRate,
    clients: of(/maxConcurrency: (\d+)/),
  };
}

export type World = (of: Asked, settings: readonly string[]) => Outcome;

/** Runs a world instead of simulations, in an order of its own; counts what it ran. */
export class WorldExecutor implements Executor {
  readonly ran: (readonly string[])[] = [];
  /** Runs that were asked for together. */
  readonly batches: Asked[][] = [];
  readonly #world: World;
  readonly #order: "forward" | "backward";
  readonly #before: (ran: number) => void;

  constructor(world: World, order: "forward" | "backward" = "forward", before: (ran: number) => void = () => {}) {
    this.#world = world;
    this.#order = order;
    this.#before = before;
  }

  run: Executor["run"] = async (_base, jobs, sink) => {
    this.batches.push(jobs.map(({ settings }) => asked(settings)));
    for (const job of this.#order === "forward" ? jobs : jobs.toReversed()) {
      this.#before(this.ran.length);
      this.ran.push(job.settings);
      await sink(job, this.#world(asked(job.settings), job.settings));
    }
  };

  close = async (): Promise<void> => {};
}

/** The plan of a question in a world. */
export async function planIn(executor: Executor, settings: readonly string[] = [], some: Partial<PlanDeps> = {}) {
  const deps = { ...noFiles, executor, journal: null, exhaustive: false, baseline: null, searchOnly: true, ...some };
  return makePlan(await questionOf(settings), base(settings), deps);
}
