import { z } from "zod";
import { InvalidInputError, type Problem } from "./errors.ts";
import { issuePerPlace } from "./issue-per-place.ts";
import { checkJson } from "./json.ts";

/** The id of a profile. */
export const profileId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]*$/, "expected lower-case letters, digits, dots and hyphens");
/** The name that a profile is printed by. */
export const profileName = z.string().trim().min(1);

/**
 * Reads a profile of a schema; throws InvalidInputError with every problem and its place. `replaced` says what stands in
 * place of keys that are gone.
 */
export function readProfile<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
  file: string,
  replaced: Readonly<Record<string, string>> = {},
): z.infer<Schema> {
  const result = schema.safeParse(checkJson(json, file));
  if (!result.success)
    throw new InvalidInputError(
      issuePerPlace(result.error.issues).map((issue) => problemOf(issue, json, file, replaced)),
    );
  return result.data;
}

/** A hint where keys are those of earlier versions. */
function replacedBy(keys: readonly string[], replaced: Readonly<Record<string, string>>): Pick<Problem, "hint"> {
  const hints = keys.flatMap((key) => (Object.hasOwn(replaced, key) ? [`${key} is now ${replaced[key]}`] : []));
  return hints.length === 0 ? {} : { hint: hints.join("; ") };
}

function problemOf(
  issue: z.core.$ZodIssue,
  json: unknown,
  file: string,
  replaced: Readonly<Record<string, string>>,
): Problem {
  const found = issue.path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    json,
  );
  const at = issue.path.map(String).join(".");
  const unsourced = found === undefined && /(^|\.)(source|kind)$/.test(at);
  const where = { file, at: at === "" ? "profile" : at };
  if (issue.code === "unrecognized_keys")
    return {
      ...where,
      expected: "only keys of the schema",
      found: issue.keys.join(", "),
      ...replacedBy(issue.keys, replaced),
    };
  return {
    ...where,
    expected: expectation(issue),
    found,
    ...(unsourced ? { hint: "every number needs a source and a kind; leave the number out if it has none" } : {}),
  };
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("expected ")) return issue.message.slice("expected ".length);
  const unit = "origin" in issue && issue.origin === "string" ? " characters" : "";
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int" ? "an integer" : `a value of type ${issue.expected}`;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    default:
      return issue.message;
  }
}
