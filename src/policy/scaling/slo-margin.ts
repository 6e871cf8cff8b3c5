import { z } from "zod";
import type { ParameterValues } from "../../core/parameters.ts";
import { quantile } from "../../core/quantile.ts";
import { quantity, share } from "../../core/quantity.ts";
import type { RecentLatencies, Scaler, ScalingPolicy, ScalingView } from "./scaling.ts";
import { Stabilised } from "./stabilised.ts";

/** A signal above this asks for no more than this does. */
const signalMax = 2;

const parameters = {
  ttft: quantity("duration").optional().describe("Limit of the time to first token."),
  tpot: quantity("duration").optional().describe("Limit of the time per output token after the first."),
  percentile: z.number().gt(0).lt(100).default(90).describe("Percentile that is held against the limits."),
  window: quantity("duration").default(60e9).describe("Latencies of this last time are looked at."),
  up: share().default(0.55).describe("Share of its limit above which a latency asks for more replicas."),
  down: share().default(0.4).describe("Share of its limit that no latency may reach after a replica is taken away."),
  stabilisation: quantity("duration", "zero")
    .default(180e9)
    .describe("Replicas are taken away only down to the most that were wanted in this last time."),
  downEvery: quantity("duration", "zero").default(120e9).describe("At most one replica is taken away in this time."),
};
type Values = ParameterValues<typeof parameters>;

/** A latency that was seen at a tick. */
interface Seen {
  readonly atNs: number;
  readonly ns: readonly number[];
}

/**
 * The control law of llm-d's SLO-aware autoscaling with its defaults (github.com/llm-d/llm-d, guides/workload-autoscaling,
 * README.slo-aware.md): the signal is the worst percentile over its limit, at most 2; above `up` replicas grow with it, less
 * those that start already; below `down` they shrink as far as a signal in proportion to the load of a replica stays below
 * `down`. Requests that wait for their first token count with what they have waited once that is beyond `up`: measured
 * latencies alone show nothing while all wait. Left out: latencies that a model predicts, the moving average of 45 s, and
 * the pace of scaling up (doubled, or 4 more, a minute).
 */
class SloMarginScaler implements Scaler {
  readonly #values: Values;
  readonly #stabilised: Stabilised;
  readonly #ttft: Seen[] = [];
  readonly #tpot: Seen[] = [];
  #lessNs = Number.NEGATIVE_INFINITY;

  constructor(values: Values) {
    this.#values = values;
    this.#stabilised = new Stabilised(values.stabilisation);
  }

  replicas(view: ScalingView): number {
    const { atNs, starting, serving } = view;
    const up = starting + serving;
    const signal = this.#signal(view, view.latencies!);
    const wanted = this.#stabilised.hold(atNs, up, signal === null ? up : this.#wanted(signal, serving, up));
    if (wanted >= up) return wanted;
    if (atNs - this.#lessNs < this.#values.downEvery) return up;
    this.#lessNs = atNs;
    return up - 1;
  }

  #wanted(signal: number, serving: number, up: number): number {
    const limits = this.#values;
    const credit = serving > 0 ? serving / up : 1;
    if (signal > limits.up) return Math.max(up, up + Math.ceil(up * ((signal * credit) / limits.up - 1)));
    return signal < limits.down ? up - Math.floor(up * (1 - signal / limits.down)) : up;
  }

  /** The worst latency as a share of its limit: 0 of a pool without requests, null where nothing is known yet. */
  #signal({ atNs, running, waiting }: ScalingView, { ttftNs, tpotNs, awaitingNs }: RecentLatencies): number | null {
    const { ttft, tpot, up } = this.#values;
    const late = ttft === undefined ? [] : awaitingNs.filter((ns) => ns > up * ttft);
    const shares = [
      this.#share(this.#recent(this.#ttft, atNs, ttftNs), late, ttft),
      this.#share(this.#recent(this.#tpot, atNs, tpotNs), [], tpot),
    ].filter((each) => each !== null);
    if (shares.length === 0) return running + waiting === 0 ? 0 : null;
    return Math.min(signalMax, Math.max(...shares));
  }

  /** Adds what was seen now, and drops what left the window. */
  #recent(seen: Seen[], atNs: number, ns: readonly number[]): number[] {
    if (ns.length > 0) seen.push({ atNs, ns });
    while (seen.length > 0 && seen[0]!.atNs <= atNs - this.#values.window) seen.shift();
    return seen.flatMap((each) => each.ns);
  }

  #share(recent: readonly number[], late: readonly number[], limitNs: number | undefined): number | null {
    if (limitNs === undefined || recent.length + late.length === 0) return null;
    return quantile(Float64Array.from([...recent, ...late]), this.#values.percentile / 100) / limitNs;
  }
}

export const sloMargin: ScalingPolicy<typeof parameters> = {
  name: "slo-margin",
  rule: "As many replicas as keep a percentile of recent latencies at a share of its limit.",
  parameters,
  watchesLatencies: true,
  contradiction: ({ ttft, tpot, up, down }) => {
    if (ttft === undefined && tpot === undefined) return { key: "ttft", expected: "a limit: ttft, tpot or both" };
    return down < up ? null : { key: "down", expected: `a share below up, ${up}` };
  },
  create: (values) => new SloMarginScaler(values),
};
