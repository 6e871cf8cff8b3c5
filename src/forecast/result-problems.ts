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
  return problems;
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
