import type { Forecast } from "./forecast.ts";
import { isObject, isOfKind, kindWords } from "./result-kinds.ts";
import { resultShape } from "./result-shape.ts";

/** A value of a document that is not what it has to be. */
interface ResultProblem {
  readonly at: string;
  readonly expected: string;
  readonly found: unknown;
}

/** Problems that are listed: a list that is wrong in every item would have as many as items. */
const problemsMax = 50;

/** Fields of the shape with the steps that lead to them; `[]` is a step of its own. */
const entries = Object.entries(resultShape).map(
  ([path, kind]) => [path.replaceAll("[]", ".[]").split("."), kind] as const,
);

/** What is wrong with a result document, the first problems of it. */
export function resultProblems(document: unknown): ResultProblem[] {
  const problems: ResultProblem[] = [];
  for (const [steps, kind] of entries)
    for (const { at, value } of placesOf(document, steps)) {
      if (isOfKind(kind, value)) continue;
      problems.push({ at, expected: kindWords(kind), found: value });
      if (problems.length === problemsMax) return problems;
    }
  return problems.length > 0 ? problems : repetitionProblems(document as Forecast);
}

/** Lists of runs with several seeds that are not as long as their seeds, or seeds that are not those of runs. */
function repetitionProblems({ seed, repetitions, slos }: Forecast): ResultProblem[] {
  if (repetitions === undefined) return [];
  const { seeds, load, metrics } = repetitions;
  const at = (path: string) => `repetitions.${path}`;
  const n = seeds.length;
  const lists: readonly (readonly [string, readonly unknown[]])[] = [
    ["load", load],
    ...Object.entries(metrics).map(([name, values]) => [`metrics.${name}`, values] as const),
    ...repetitions.slos.map((met, i) => [`slos[${i}]`, met] as const),
  ];
  return [
    ...(n >= 2 && seeds[0] === seed && new Set(seeds).size === n && seeds.every(Number.isSafeInteger)
      ? []
      : [{ at: at("seeds"), expected: `different whole numbers, two at least, ${seed} first`, found: seeds }]),
    ...(repetitions.slos.length === slos.length
      ? []
      : [{ at: at("slos"), expected: `a list for each of ${slos.length} SLOs`, found: repetitions.slos.length }]),
    ...lists.flatMap(([path, list]) =>
      list.length === n ? [] : [{ at: at(path), expected: `${n} values, one for each seed`, found: list.length }],
    ),
  ].slice(0, problemsMax);
}

interface Place {
  readonly at: string;
  readonly value: unknown;
}

/**
 * The places that steps lead to, with what stands there: several where they lead through lists, none below what is null or
 * absent, or refused itself for being no object or list.
 */
function placesOf(document: unknown, steps: readonly string[]): readonly Place[] {
  let places: readonly Place[] = [{ at: "", value: document }];
  let path = "";
  for (const step of steps) {
    if (step === "[]") {
      places = places.flatMap(({ at, value }) =>
        Array.isArray(value) ? value.map((item: unknown, i) => ({ at: `${at}[${i}]`, value: item })) : [],
      );
      path += "[]";
      continue;
    }
    const stated = Object.hasOwn(resultShape, path);
    places = places.flatMap(({ at, value }) => {
      if (stated && !isObject(value)) return [];
      return [{ at: at === "" ? step : `${at}.${step}`, value: isObject(value) ? value[step] : undefined }];
    });
    path = path === "" ? step : `${path}.${step}`;
  }
  return places;
}
