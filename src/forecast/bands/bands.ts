import { sharesKernels } from "../../hardware/architectures.ts";
import { type Band, bandAround, combinedBand, scaledBand, widthOf } from "./band.ts";
import {
  type BandClass,
  type ErrorBandTable,
  errorBandTable,
  type LatencyBands,
  type ValidatedSetup,
} from "./error-band-table.ts";
import type { SetupKey } from "./nearest-setup.ts";

/** A deployment that is forecast. */
export interface BandQuery extends SetupKey {
  /** Whether its engine was adjusted to measured points of it. */
  readonly observed: boolean;
  /** What it does that no served measurement of the validation did, in words; see `unvalidated-features.ts`. */
  readonly features: readonly string[];
}

/**
 * What the band of a forecast is made of: a class of left-out forecasts; those of models and of systems where both are
 * others; or, for what no served measurement is like, those of several with the error of kernels on top.
 */
export type BandBasis = BandClass | "modelAndSystem" | "unmeasured";

/** Factors measured / forecast of a deployment. */
export interface ErrorBands extends LatencyBands {
  readonly nominal: number;
  readonly basis: BandBasis;
  /** What was not measured anywhere near, in words; null where something near was, or the deployment itself. */
  readonly unvalidated: string | null;
}

/** How a deployment stands to the measured setups, and what was not measured, in words, where none is near. */
interface Standing {
  readonly basis: Exclude<BandBasis, "observed" | "observedFar">;
  readonly unvalidated: string | null;
}

/** Error bands of a deployment: those of the left-out forecasts whose fits had seen as much of it as the committed one. */
export function bandsFor(query: BandQuery, table: ErrorBandTable = errorBandTable): ErrorBands {
  const { nominal } = table;
  const { basis, unvalidated } = standingOf(query, table.setups);
  const own = table.setups.find((setup) => isOwn(query, setup)) ?? unscaled;
  if (!query.observed) {
    const bands = basis === "validated" ? scaled(table.classes.validated, own) : basisBands(basis, table);
    return { nominal, basis, unvalidated, ...bands };
  }
  if (unvalidated === null)
    return { nominal, basis: "observed", unvalidated: null, ...scaled(table.classes.observed, own) };
  const far = table.classes.observedFar;
  if (basis !== "unmeasured") return { nominal, basis: "observedFar", unvalidated: null, ...far };
  // What a point leaves of the error of several, it leaves of that of kernels too.
  const [wide, several] = [basisBands("unmeasured", table), table.classes.several];
  const left = (of: keyof LatencyBands) => scaledBand(far[of], widthOf(wide[of]) / widthOf(several[of]));
  return { nominal, basis: "observedFar", unvalidated: null, tpot: left("tpot"), ttft: left("ttft") };
}

/** The bands of a basis, of no setup in particular. */
export function basisBands(basis: BandBasis, table: ErrorBandTable = errorBandTable): LatencyBands {
  const { classes, kernelsElsewhere } = table;
  const of = (latency: keyof LatencyBands): Band => {
    switch (basis) {
      case "modelAndSystem":
        return bandAround([classes.model[latency], classes.system[latency]]);
      case "unmeasured": {
        const several = classes.several[latency];
        return bandAround([several, combinedBand(several, kernelsElsewhere)]);
      }
      default:
        return classes[basis][latency];
    }
  };
  return { tpot: of("tpot"), ttft: of("ttft") };
}

/** A band of a setup, as much wider or narrower as its errors are larger or smaller than those of others. */
const scaled = ({ tpot, ttft }: LatencyBands, { tpotScale, ttftScale }: Scales): LatencyBands => ({
  tpot: scaledBand(tpot, tpotScale),
  ttft: scaledBand(ttft, ttftScale),
});

type Scales = Pick<ValidatedSetup, "tpotScale" | "ttftScale">;
const unscaled: Scales = { tpotScale: 1, ttftScale: 1 };

const isOwn = (query: SetupKey, setup: SetupKey): boolean =>
  query.model === setup.model && query.device === setup.device && query.engine === setup.engine;

/** What no served measurement was of, as a sentence without its full stop. */
const none = (...what: readonly string[]): string => `no served measurement ${what.join(", and none ")}`;

/** `a, b or c`. */
const oneOf = (words: readonly string[]): string =>
  [words.slice(0, -1).join(", "), ...words.slice(-1)].filter((part) => part !== "").join(" or ");

/**
 * How a deployment stands to the measured setups. Near is a setup of its engine that differs in the model alone or, within
 * the architecture, in the device alone. A setup differs from all only together where each part was measured with its engine.
 */
function standingOf(query: BandQuery, setups: readonly ValidatedSetup[]): Standing {
  const { model, device, engine, features } = query;
  const here = setups.filter((setup) => sharesKernels(device, setup.device));
  const unmeasured = [
    ...(features.length > 0 ? [`with ${oneOf(features)}`] : []),
    ...(here.length === 0 ? [`on ${device} or another device of its architecture`] : []),
  ];
  if (unmeasured.length > 0) return { basis: "unmeasured", unvalidated: none(...unmeasured) };
  const alike = here.filter((setup) => setup.engine === engine);
  if (alike.some((setup) => isOwn(query, setup))) return { basis: "validated", unvalidated: null };
  const ofModel = alike.some((setup) => setup.model === model);
  const onDevice = alike.some((setup) => setup.device === device);
  if (ofModel && onDevice) return { basis: "setup", unvalidated: null };
  if (onDevice) return { basis: "model", unvalidated: null };
  if (ofModel) return { basis: "system", unvalidated: null };
  if (alike.length > 0)
    return { basis: "modelAndSystem", unvalidated: none(`with ${engine} of ${model}`, `with it on ${device}`) };
  const measured = here.some((setup) => setup.model === model);
  const known = setups.some((setup) => setup.engine === engine);
  const architecture = `on the architecture of ${device}`;
  const withEngine = `with ${engine}${known ? ` ${architecture}` : ""}`;
  return measured
    ? { basis: "engine", unvalidated: none(withEngine) }
    : { basis: "several", unvalidated: none(withEngine, `of ${model} ${known ? "there" : architecture}`) };
}
