import { sha256 } from "../../core/digest.ts";
import { type Problem, UsageError } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json.ts";
import { latinHypercube } from "./latin-hypercube.ts";
import { type Range, valueAt } from "./range.ts";

/** One value of the scenario: a path and YAML text, as `--set` takes them. */
export interface AxisValue {
  readonly path: string;
  readonly text: string;
}

/** Which configurations are run: every case, with every combination of the matrix, with every sampled point. */
export interface Design {
  /** Settings that belong together. Empty: one case without settings. */
  readonly cases: readonly (readonly AxisValue[])[];
  readonly matrix: readonly { readonly path: string; readonly texts: readonly string[] }[];
  readonly sample: { readonly points: number; readonly seed: number; readonly ranges: readonly Range[] } | null;
}

/** A table of more rows is not written in one piece. */
const pointsMax = 1_000_000;

/** Configurations of a design. */
export const pointCount = ({ cases, matrix, sample }: Design): number =>
  Math.max(1, cases.length) * matrix.reduce((all, { texts }) => all * texts.length, 1) * (sample?.points ?? 1);

/** Paths that a design gives values to, in the order of its columns. */
export const pathsOf = ({ cases, matrix, sample }: Design): string[] => [
  ...new Set([
    ...cases.flatMap((values) => values.map(({ path }) => path)),
    ...matrix.map(({ path }) => path),
    ...(sample?.ranges ?? []).map(({ path }) => path),
  ]),
];

/** Equal for designs of the same configurations in the same order. */
export const designDigest = (design: Design): string => sha256(canonicalJson(design));

/** What is wrong with a design; empty: nothing. A path that two parts give values to would silently lose one of them. */
function designProblems(design: Design): Problem[] {
  const { cases, matrix, sample } = design;
  const parts = {
    cases: [...new Set(cases.flatMap((values) => values.map(({ path }) => path)))],
    matrix: matrix.map(({ path }) => path),
    ranges: (sample?.ranges ?? []).map(({ path }) => path),
  };
  const twice = Object.values(parts)
    .flat()
    .filter((path, i, all) => all.indexOf(path) !== i);
  const problems: Problem[] = twice.map((path) => ({
    at: path,
    expected: "values of a path in one place: cases, matrix or ranges",
    found: Object.entries(parts)
      .flatMap(([name, paths]) => paths.filter((other) => other === path).map(() => name))
      .join(" and "),
  }));
  const inOrder = Object.values(parts).flat();
  for (const [i, path] of inOrder.entries()) {
    const inside = inOrder.slice(0, i).find((other) => other.startsWith(`${path}.`) || other.startsWith(`${path}[`));
    if (inside !== undefined)
      problems.push({ at: path, expected: `its value before that of ${inside}, which it replaces`, found: "it after" });
  }
  const points = pointCount(design);
  if (points > pointsMax) problems.push({ expected: `at most ${pointsMax} configurations`, found: points });
  return problems;
}

/** The configurations of a design, one after the other: cases outermost, then the matrix in its order, then sampled points. */
export function* pointsOf(design: Design): Generator<readonly AxisValue[], void, void> {
  const { cases, matrix, sample } = design;
  const sampled: readonly (readonly AxisValue[])[] = sample === null ? [[]] : sampledPoints(sample);
  for (const values of cases.length === 0 ? [[]] : cases)
    for (const combined of combinations(matrix)) for (const drawn of sampled) yield [...values, ...combined, ...drawn];
}

function* combinations(matrix: Design["matrix"]): Generator<readonly AxisValue[], void, void> {
  const [first, ...rest] = matrix;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const text of first.texts)
    for (const others of combinations(rest)) yield [{ path: first.path, text }, ...others];
}

function sampledPoints({ points, seed, ranges }: NonNullable<Design["sample"]>): AxisValue[][] {
  return latinHypercube(points, ranges.length, seed).map((place) =>
    ranges.map((range, axis) => ({ path: range.path, text: valueAt(range, place[axis]!) })),
  );
}

/** A setting as `--set` takes it. */
export const settingText = ({ path, text }: AxisValue): string => `${path}=${text}`;

/** Refuses a design that cannot be run, on the command line. */
export function checkDesign(design: Design): void {
  const problems = designProblems(design);
  if (problems.length > 0)
    throw new UsageError(
      problems.map(
        ({ at, expected, found }) => `sweep: ${at === undefined ? "" : `${at}: `}expected ${expected}, found ${found}`,
      ),
    );
}
