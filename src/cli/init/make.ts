import { InfeasibleError, InvalidInputError, type Problem } from "../../core/errors.ts";
import type { Forecast } from "../../forecast/forecast.ts";
import { runScenario } from "../../forecast/forecast-scenario.ts";
import type { FileReader } from "../../resolve/file-reader.ts";
import { parseScenario } from "../../scenario/parse-scenario.ts";
import { type Load, type Made, scenarioText } from "./scenario-text.ts";
import { sitesOf } from "./site.ts";
import type { Choice, Draft, Limits, Probe, Site, Template } from "./template.ts";

/** What the making of a scenario needs from outside. */
export interface MakeDeps {
  readonly reader: FileReader;
  readonly signal?: AbortSignal;
  /** Says what is being tried. */
  readonly say: (doing: string) => void;
}

/** A scenario that runs, and its forecast. */
export interface MadeScenario {
  readonly made: Made;
  readonly forecast: Forecast;
}

/** Makes the scenario of a template for a choice and runs it. Throws InfeasibleError, with the reason, where none fits. */
export async function makeScenario(
  name: string,
  template: Template,
  choice: Choice,
  deps: MakeDeps,
): Promise<MadeScenario> {
  const reasons: { readonly engine: string; readonly reason: string }[] = [];
  for (const site of sitesOf(choice, template)) {
    deps.say(`looking for a layout under ${site.engine}`);
    const bench = benchOf(name, template, site, deps);
    try {
      const draft = await template.draft(site, bench.probe);
      return await withLoad(template, site, draft, bench);
    } catch (error) {
      if (!(error instanceof InfeasibleError)) throw error;
      reasons.push({ engine: site.engine, reason: error.message });
    }
  }
  const [first, ...others] = reasons;
  const also = others.length === 0 ? "" : `\nnor under ${others.map(({ engine }) => engine).join(", ")}`;
  throw new InfeasibleError(`${first?.reason ?? "no engine"}${also}`);
}

/** A message without places in a file that is not there yet. */
const withoutPlaces = (message: string): string => message.replaceAll(/^\S+\.yaml:\d+(?::\d+)?: /gm, "");

/** Share of the memory that a deployment with room gets along with; engines take 0.88 to 0.95. */
const roomyUtilisation = 0.75;

/** Runs scenarios of one template at one site. */
interface Bench {
  readonly probe: Probe;
  run(draft: Draft, load: Load, limits: Limits, settings?: readonly string[]): Promise<Forecast>;
}

function benchOf(name: string, template: Template, site: Site, { reader, signal, say }: MakeDeps): Bench {
  const run: Bench["run"] = async (draft, load, limits, settings = []) => {
    const made: Made = { site, draft, load, limits, limitsAre: "", loadIs: "" };
    const { requests, ratePerSecond } = load;
    if (requests > 1)
      say(ratePerSecond === null ? "trying one person" : `trying ${Number(ratePerSecond.toPrecision(3))} requests/s`);
    const text = scenarioText(name, template, made, "none");
    const { forecast } = await runScenario(parseScenario(text, `${site.name}.yaml`, { settings }), {
      ...reader,
      ...(signal === undefined ? {} : { signal }),
    });
    signal?.throwIfAborted();
    return forecast;
  };
  const probe: Probe = async (draft, withRoom) => {
    const settings = withRoom === undefined ? [] : [`engine.gpuMemoryUtilization=${roomyUtilisation}`];
    try {
      await run(draft, { requests: 1, ratePerSecond: null }, template.limits, settings);
      return null;
    } catch (error) {
      // What the choices contradict is as little of a deployment as what does not fit.
      if (error instanceof InfeasibleError) return withoutPlaces(error.message);
      if (error instanceof InvalidInputError) return error.problems.map(problemText).join("; ");
      throw error;
    }
  };
  return { probe, run };
}

const problemText = ({ expected, hint }: Problem): string =>
  `expected ${expected}${hint === undefined ? "" : ` (${hint})`}`;

/** Requests of a run that tells whether a rate is kept. */
const trialRequests = 300;
const rates = { first: 1, smallest: 1 / 16, largest: 4096 };

async function withLoad(template: Template, site: Site, draft: Draft, bench: Bench): Promise<MadeScenario> {
  const { requests, limits } = template;
  const usual = "What a person notices: replace them by what your users need.";
  const given = site.ratePerSecond;
  if (given !== null) {
    const load = { requests, ratePerSecond: given };
    return finished({ site, draft, load, limits, limitsAre: usual, loadIs: "The load that was asked for." }, bench);
  }
  if (template.defaultLoad === "onePerson") {
    const load = { requests, ratePerSecond: null };
    const first = await bench.run(draft, load, limits);
    if (first.passed)
      return { made: { site, draft, load, limits, limitsAre: usual, loadIs: personText }, forecast: first };
    const reached = reachedLimits(first, limits);
    return finished({ site, draft, load, limits: reached, limitsAre: reachedText, loadIs: personText }, bench);
  }
  const loadIs = "A load that keeps the objectives: the largest power of two that does.";
  const trial = Math.min(requests, trialRequests);
  const found = await largestRate(draft, limits, trial, bench);
  if (found !== null)
    return kept({ site, draft, load: { requests, ratePerSecond: found }, limits, limitsAre: usual, loadIs }, bench);
  // What cannot keep them at any load is for one person, with what one person gets.
  const alone = { requests: Math.min(requests, trialRequests), ratePerSecond: null };
  const reached = reachedLimits(await bench.run(draft, alone, limits), limits);
  return finished({ site, draft, load: alone, limits: reached, limitsAre: reachedText, loadIs: personText }, bench);
}

const personText = "One person, who sends the next request when the last answer is complete.";

const reachedText =
  "What one person gets here, and half as much again: the limits of the template are beyond this hardware.";

async function finished(made: Made, bench: Bench): Promise<MadeScenario> {
  return { made, forecast: await bench.run(made.draft, made.load, made.limits) };
}

/** The same at half the rate, and so on, until the whole run keeps the objectives. */
async function kept(made: Made, bench: Bench): Promise<MadeScenario> {
  const done = await finished(made, bench);
  const rate = made.load.ratePerSecond ?? 0;
  if (done.forecast.passed || rate <= rates.smallest) return done;
  return kept({ ...made, load: { ...made.load, ratePerSecond: rate / 2 } }, bench);
}

/** The largest power of two at which a short run keeps the limits; null where none does. */
async function largestRate(draft: Draft, limits: Limits, requests: number, bench: Bench): Promise<number | null> {
  const keeps = async (ratePerSecond: number) => (await bench.run(draft, { requests, ratePerSecond }, limits)).passed;
  let rate = rates.first;
  if (await keeps(rate)) {
    while (rate < rates.largest && (await keeps(rate * 2))) rate *= 2;
    return rate;
  }
  for (rate /= 2; rate >= rates.smallest; rate /= 2) if (await keeps(rate)) return rate;
  return null;
}

/** Limits that one person meets, with half as much again, to two digits. */
function reachedLimits({ latency }: Forecast, { percentile }: Limits): Limits {
  const limit = (value: number | null): number => Number(((value ?? 0) * 1.5).toPrecision(2));
  const key = percentile === 50 ? "p50" : "p95";
  return { percentile, ttftMs: limit(latency.ttft[key]), tpotMs: limit(latency.tpot[key]) };
}
