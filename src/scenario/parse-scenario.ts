import { sha256 } from "../core/digest.ts";
import { InvalidInputError, type Problem } from "../core/errors.ts";
import { issuePerPlace } from "../core/issue-per-place.ts";
import { issuesOfFitting } from "../core/union-issues.ts";
import { builtInPolicies, type PolicyTables } from "../policy/policy-tables.ts";
import { expandPaths } from "./file-path.ts";
import { knownKeys, scenarioJsonSchema } from "./json-schema.ts";
import { type ScenarioValue, scenarioSchema } from "./schema.ts";
import { schemaProblems } from "./schema-problems.ts";
import { applySettings, type Setting, settingName } from "./settings.ts";
import { statedTexts } from "./stated-texts.ts";
import { type Place, plainValue, readYaml, type ValuePath, type YamlSource } from "./yaml-source.ts";

/** A validated scenario that still knows where each of its values stands. */
export interface Scenario extends ScenarioValue {
  readonly file: string;
  /** sha256 of the text of the file. */
  readonly sha256: string;
  /** The policies that it may name. */
  readonly policies: PolicyTables;
  /** Settings and parameters that were applied over the file, as given. */
  readonly overrides: readonly string[];
  /** Where the value at a path stands, for problems that are found after parsing. */
  place(path: ValuePath): Place;
  /** Whether the text or a setting states a value at a path: defaults stand nowhere. */
  states(path: ValuePath): boolean;
  /** What text and settings state, parameters as they are named, by path; null where that is long. See {@link statedTexts}. */
  stated(): Readonly<Record<string, string>> | null;
  /** The same text with further settings over it, and other policies that it may name. */
  vary(this: void, settings: readonly string[], policies?: PolicyTables): Scenario;
}

/** What a caller lays over a scenario file. */
export interface ScenarioOptions {
  /** `path=value` each. */
  readonly settings?: readonly string[];
  /** Values of `${NAME}` in paths. */
  readonly params?: Readonly<Record<string, string>>;
  /** Policies that it may name; default those of moecast. */
  readonly policies?: PolicyTables;
}

/**
 * Reads a scenario. `file` is the name used in messages and the place relative paths start from. Throws one
 * InvalidInputError with every problem of the text, the settings, the parameters and the schema.
 */
export function parseScenario(text: string, file: string, options: ScenarioOptions = {}): Scenario {
  const { settings, placed, plain, expanded } = read(text, file, options);
  const policies = options.policies ?? builtInPolicies;
  const result = scenarioSchema(policies).safeParse(expanded.value);
  const issues = result.success ? [] : issuePerPlace(issuesOfFitting(result.error.issues));
  const schema = issues.some((issue) => issue.code === "unrecognized_keys") ? scenarioJsonSchema(policies) : {};
  const unreadable: readonly Problem[] = [...settings.problems, ...plain.problems, ...expanded.problems];
  // Something else stands in the place of what could not be read.
  const places = new Set(unreadable.map(({ at }) => at));
  const problems: readonly Problem[] = [
    ...unreadable,
    ...schemaProblems(issues, expanded.value, placed, (path) => knownKeys(schema, expanded.value, path)).filter(
      ({ at }) => !places.has(at),
    ),
  ];
  if (!result.success || problems.length > 0) throw new InvalidInputError(inFileOrder(problems));
  return {
    ...result.data,
    file,
    sha256: sha256(text),
    policies,
    overrides: [
      ...settings.applied.map((setting) => setting.text),
      ...Object.entries(options.params ?? {}).map(([name, value]) => `${name}=${value}`),
    ],
    place: (path) => placed.place(path, "value"),
    states: (path) => placed.document.hasIn(path),
    stated: () => statedTexts(plain.value),
    vary: (more, others) =>
      parseScenario(text, file, {
        ...options,
        settings: [...(options.settings ?? []), ...more],
        policies: others ?? policies,
      }),
  };
}

/**
 * What a text and what is laid over it state, before defaults and whether or not it is a scenario: equal for texts that differ in
 * layout and comments. Throws InvalidInputError for what is no YAML.
 */
export const statedValues = (text: string, file: string, options: ScenarioOptions = {}): unknown =>
  read(text, file, options).expanded.value;

function read(text: string, file: string, options: ScenarioOptions) {
  const source = readYaml(text, file);
  const settings = applySettings(source, options.settings ?? []);
  const placed = namingSettings(source, settings.applied);
  const plain = plainValue(placed);
  return { settings, placed, plain, expanded: expandPaths(plain.value, options.params ?? {}, placed) };
}

/** The source with values that came from a setting placed at that setting instead of in the file. */
function namingSettings(source: YamlSource, applied: readonly Setting[]): YamlSource {
  const begins = (path: ValuePath, start: ValuePath) =>
    start.every((step, depth) => String(step) === String(path[depth]));
  const settingAt = (path: ValuePath) =>
    applied.findLast((setting) => begins(path, setting.path)) ??
    // A mapping that a setting made on its way to the value.
    (source.document.hasIn(path) && source.place(path, "key").line === undefined
      ? applied.findLast((setting) => begins(setting.path, path))
      : undefined);
  return {
    ...source,
    place: (path, of) => {
      const setting = settingAt(path);
      return setting === undefined ? source.place(path, of) : { file: settingName(setting.text) };
    },
    textColumn: (path, of) => (settingAt(path) === undefined ? source.textColumn(path, of) : null),
  };
}

/** Problems by the line and column that they are at; those without come first. */
export function inFileOrder(problems: readonly Problem[]): Problem[] {
  const key = (problem: Problem) => (problem.line ?? 0) * 1e6 + (problem.column ?? 0);
  return [...problems].sort((a, b) => key(a) - key(b));
}
