import type { Scenario } from "../../scenario/parse-scenario.ts";

type Arrivals = Scenario["traffic"]["arrivals"];
type Kind<K> = Extract<Arrivals, { readonly kind: K }>;

const perSecond = (rate: number): string => `${rate}/s`;

/** Settings of arrivals that come `factor` times as fast, by their kind; a closed loop has no rate. */
const scaled: { readonly [K in Arrivals["kind"]]: ((arrivals: Kind<K>, factor: number) => string[]) | null } = {
  poisson: ({ requestRate }, factor) => [`traffic.arrivals.requestRate=${perSecond(requestRate * factor)}`],
  constant: ({ requestRate }, factor) => [`traffic.arrivals.requestRate=${perSecond(requestRate * factor)}`],
  gamma: ({ requestRate }, factor) => [`traffic.arrivals.requestRate=${perSecond(requestRate * factor)}`],
  onOff: ({ onRate, offRate }, factor) => [
    `traffic.arrivals.onRate=${perSecond(onRate * factor)}`,
    ...(offRate === undefined ? [] : [`traffic.arrivals.offRate=${perSecond(offRate * factor)}`]),
  ],
  stages: ({ stages }, factor) => [
    `traffic.arrivals.stages=${JSON.stringify(
      stages.map(({ rate, rampTo, duration }) => ({
        rate: perSecond(rate * factor),
        ...(rampTo === undefined ? {} : { rampTo: perSecond(rampTo * factor) }),
        duration: `${duration / factor}ns`,
      })),
    )}`,
  ],
  recorded: ({ rateScale }, factor) => [`traffic.arrivals.rateScale=${rateScale * factor}`],
  closed: null,
};

/** Settings that make the requests of a scenario come `factor` times as fast, as long as they are; null in a closed loop. */
export function rateSettings({ traffic }: Scenario, factor: number): string[] | null {
  const { arrivals } = traffic;
  const scale = scaled[arrivals.kind] as ((of: Arrivals, factor: number) => string[]) | null;
  return scale?.(arrivals, factor) ?? null;
}

/** Keys of a number of tokens that grow with it; the others say how it is spread. */
const lengthKeys = new Set(["tokens", "low", "high", "mean", "p50", "min", "max"]);

/** Settings that make prompts or outputs `factor` times as long; null where lengths are recorded or stated by class. */
export function lengthSettings({ traffic }: Scenario, which: "isl" | "osl", factor: number): string[] | null {
  const given =
    traffic.kind === "trace" || !(which in traffic) ? undefined : (traffic as { isl?: object; osl?: object })[which];
  if (given === undefined) return null;
  return Object.entries(given as Readonly<Record<string, unknown>>).flatMap(([key, value]) =>
    lengthKeys.has(key) && typeof value === "number"
      ? [`traffic.${which}.${key}=${Math.max(1, Math.round(value * factor))}`]
      : [],
  );
}
