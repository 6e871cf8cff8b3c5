import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { type Json, parseJson } from "../../core/json.ts";
import { timeComponents } from "../../sim/result.ts";
import { candidateStates } from "../search/track.ts";
import type { PlanDocument } from "./plan-document.ts";
import { fields, flag, items, number, oneOf, orNull, recordOf, type Shape, ShapeCheck, text } from "./shape.ts";

const schemaVersion = 1;

/** Memory that a parsed document may take by a rough upper estimate; one of 100,000 candidates has half of it, and takes a tenth. */
const memoryMax = 1024 * 1024 * 1024;

const texts = items(text);
const numberOrNull = orNull(number);
const textOrNull = orNull(text);

const candidate = fields({
  id: text,
  name: text,
  site: text,
  settings: texts,
  devices: number,
  usdPerHour: numberOrNull,
  powerW: numberOrNull,
  status: oneOf(candidateStates),
  cause: textOrNull,
  reason: textOrNull,
  requests: number,
  figures: orNull(recordOf(numberOrNull)),
  binding: textOrNull,
  strain: numberOrNull,
});

const objective = fields({
  name: text,
  title: text,
  found: items(
    fields({
      id: text,
      value: number,
      text,
      load: texts,
      shown: orNull(
        fields({ ttftP99Ms: numberOrNull, tpotP50Ms: numberOrNull, binding: textOrNull, strain: numberOrNull }),
      ),
    }),
  ),
  closest: orNull(fields({ id: text, shortfall: text })),
});

const finalist = fields({
  id: text,
  chances: items(fields({ slo: text, chance: numberOrNull, slowestFactor: numberOrNull })),
  bottleneck: fields({ component: oneOf([...timeComponents, "frontEnd"]), share: number }),
  unvalidated: textOrNull,
});

const frontierPoint = fields({
  id: text,
  concurrency: number,
  perDevice: number,
  perUser: number,
  best: flag,
  load: texts,
});

const sensitivity = fields({
  change: text,
  outcome: orNull(
    fields({
      meets: flag,
      broken: textOrNull,
      binding: textOrNull,
      strain: numberOrNull,
      tpotP50Ms: numberOrNull,
      ttftP99Ms: numberOrNull,
      usdPerMtok: numberOrNull,
    }),
  ),
});

/** A plan document without kind and version, which are looked at first. */
const document: Shape = fields({
  moecastVersion: text,
  scenario: fields({ name: text, description: text, file: text, settings: texts, params: recordOf(text) }),
  seed: number,
  space: fields({
    candidates: number,
    layouts: number,
    devicesMax: number,
    devicesAssumed: flag,
    exhaustive: flag,
    leftOut: items(fields({ name: text, reason: text })),
  }),
  traffic: fields({
    requests: number,
    ratePerSecond: numberOrNull,
    concurrency: numberOrNull,
    promptTokens: number,
    outputTokens: number,
  }),
  slos: texts,
  counts: fields(Object.fromEntries(candidateStates.map((state) => [state, number]))),
  effort: fields({ runs: number, requests: number, samples: items(number) }),
  objectives: items(objective),
  finalists: items(finalist),
  frontier: orNull(items(frontierPoint)),
  sensitivity: orNull(items(sensitivity)),
  baseline: orNull(
    fields({
      file: text,
      devices: numberOrNull,
      usdPerHour: numberOrNull,
      meets: flag,
      broken: textOrNull,
      values: recordOf(numberOrNull),
    }),
  ),
  interrupted: flag,
  candidates: items(candidate),
});

/** The JSON of a file that may be a plan, which is larger than other documents. Throws InvalidInputError. */
export const parsePlanJson = (json: string, file: string): Json => parseJson(json, file, undefined, memoryMax);

/** Whether a parsed document says that it is a plan. */
export const isPlan = (json: Json): boolean => valueAt(json, "kind") === "plan";

/**
 * Reads a `plan.json` as `moecast plan -o` writes it. Throws InvalidInputError for anything else: another kind of document, one of
 * another version, and every field that is missing, of the wrong kind, or names a candidate that is not in the list.
 */
export function planOf(json: Json, file: string): PlanDocument {
  const refuseField = (at: string, expected: string, hint?: string): never => {
    throw new InvalidInputError([
      { file, at, expected, found: valueAt(json, at), ...(hint === undefined ? {} : { hint }) },
    ]);
  };
  if (!isPlan(json)) refuseField("kind", '"plan", as moecast plan -o writes it');
  if (valueAt(json, "schemaVersion") !== schemaVersion)
    refuseField("schemaVersion", String(schemaVersion), "another release wrote this plan; run moecast plan again");
  const plan = withInputs(json);
  const check = new ShapeCheck();
  document(plan, check);
  const problems = check.problems.length > 0 ? check.problems : unknownCandidates(plan as unknown as PlanDocument);
  if (problems.length > 0) throw new InvalidInputError(problems.map((problem) => ({ file, ...problem })));
  return plan as unknown as PlanDocument;
}

/** The same of a text. */
export const readPlan = (json: string, file: string): PlanDocument => planOf(parsePlanJson(json, file), file);

/** What earlier documents do not say: with which settings and parameters they were asked. */
const unsaid = { settings: [], params: {} } as const;

/** The document with that in it; what it says stays, in its order. */
function withInputs(json: Json): Json {
  const scenario = valueAt(json, "scenario");
  if (!isObject(scenario)) return json;
  return { ...(json as Readonly<Record<string, Json>>), scenario: { ...scenario, ...unsaid, ...scenario } };
}

/** Answers that name what is no candidate. */
function unknownCandidates({ candidates, objectives, finalists, frontier }: PlanDocument): Problem[] {
  const known = new Set(candidates.map(({ id }) => id));
  const named = [
    ...objectives.flatMap(({ found, closest }, i) => [
      ...found.map(({ id }, j) => ({ at: `objectives[${i}].found[${j}].id`, id })),
      ...(closest === null ? [] : [{ at: `objectives[${i}].closest.id`, id: closest.id }]),
    ]),
    ...finalists.map(({ id }, i) => ({ at: `finalists[${i}].id`, id })),
    ...(frontier ?? []).map(({ id }, i) => ({ at: `frontier[${i}].id`, id })),
  ];
  return named
    .filter(({ id }) => !known.has(id))
    .map(({ at, id }) => ({ at, expected: "the id of one of the candidates", found: id }));
}

const isObject = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const valueAt = (json: Json, key: string): Json | undefined => (isObject(json) ? json[key] : undefined);
