import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FormField, formFields } from "../../src/scenario/form-fields.ts";
import { statedValues } from "../../src/scenario/parse-scenario.ts";
import { further } from "../drawn.ts";

const bundled = readdirSync("scenarios", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => join("scenarios", name));
const quick = ["quickstart", "cluster-ep8", "offload-4090", "deepseek-h200-pools", "ci/pass"].map((name) =>
  join("scenarios", `${name}.yaml`),
);
const textOf = (file: string) => readFileSync(file, "utf8");
const statedIn = (text: string, settings: readonly string[] = []) => {
  const params = Object.fromEntries([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => [name, "data"]));
  return statedValues(text, "a.yaml", { settings, params });
};
const field = (fields: readonly FormField[], path: string) => fields.find((one) => one.path === path);

/** What a scenario states at a path; undefined for nothing. */
function valueAt(stated: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    const isMapping = value !== null && typeof value === "object" && !Array.isArray(value);
    return isMapping ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  }, stated);
}

describe.each([...quick, ...further(bundled.filter((file) => !quick.includes(file)))])("%s", (file) => {
  const text = textOf(file);
  const stated = statedIn(text);
  const fields = formFields(stated);

  test("has fields with a path of their own, a kind and a meaning", () => {
    const paths = fields.map(({ path }) => path);
    expect(paths.length).toBeGreaterThan(40);
    expect(new Set(paths).size).toBe(paths.length);
    for (const { path, kind, choices, description, minimum, maximum } of fields) {
      expect(description.length, path).toBeGreaterThan(5);
      expect(choices.length > 0, path).toBe(kind === "choice");
      if (minimum !== null && maximum !== null) expect(minimum).toBeLessThanOrEqual(maximum);
    }
  });

  test("has a field for all that it states, with the value", () => {
    const within = (value: unknown, path: string): string[] => {
      if (field(fields, path) !== undefined) return [];
      if (value === null || typeof value !== "object" || Array.isArray(value)) return [path];
      return Object.entries(value).flatMap(([key, own]) => within(own, path === "" ? key : `${path}.${key}`));
    };
    const left = new Set(["version", "name", "description", "params", "plan", "sweep"]);
    const lost = within(stated, "").filter((path) => !left.has(path.split(".")[0]!));
    expect(lost).toEqual([]);
  });

  test("says of each key whether it is stated", () => {
    for (const { path, stated: shown } of fields)
      expect(shown !== null, path).toBe(valueAt(stated, path) !== undefined);
  });

  test("stays as it is where a stated value is entered again", () => {
    for (const { path, stated: shown, kindSettings } of fields)
      if (shown !== null && kindSettings.length === 0)
        expect(statedIn(text, [`${path}=${shown}`]), path).toEqual(stated);
  });

  test("becomes every kind that it may have, with the keys of that kind", () => {
    for (const { path, choices, kindSettings } of fields)
      for (const [i, setting] of kindSettings.entries()) {
        const changed = formFields(statedIn(text, [setting]));
        expect(field(changed, path)?.stated, setting).toBe(choices[i]);
      }
  });
});

test("what two kinds have in common stays when one becomes the other", () => {
  const text = textOf("scenarios/offload-4090.yaml");
  const kind = field(formFields(statedIn(text)), "policy.offload.kind")!;
  const setting = kind.kindSettings[kind.choices.indexOf("lfu")]!;
  const changed = formFields(statedIn(text, [setting]));
  expect(field(changed, "policy.offload.slots")?.stated).toBe("5");
  expect(field(changed, "policy.offload.hostMemory")?.stated).toBe("16GiB");
});

test("a mapping that holds other keys too has those that are stated", () => {
  const fields = formFields(statedIn(textOf("scenarios/cluster-ep8.yaml")));
  expect(field(fields, "slo.ttft{class:code}")).toMatchObject({ stated: "p(95)<1.5s", kind: "text" });
});

test("a scenario that states nothing has the fields of its sections", () => {
  for (const nothing of [{}, null, undefined, 7, "text", []]) {
    const fields = formFields(nothing);
    expect(fields.length).toBeGreaterThan(20);
    expect(fields.every(({ stated }) => stated === null)).toBe(true);
  }
});

test("a value of a wrong kind is shown as it is", () => {
  const fields = formFields({ traffic: 7, policy: { offload: ["x"] }, engine: "fast" });
  expect(field(fields, "traffic")?.stated).toBe("7");
  expect(field(fields, "policy.offload")?.stated).toBe('["x"]');
  expect(field(fields, "engine")?.stated).toBe("fast");
});
