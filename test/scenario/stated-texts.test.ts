import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseScenario, statedValues } from "../../src/scenario/parse-scenario.ts";
import { statedTexts } from "../../src/scenario/stated-texts.ts";
import { minimal } from "./example.ts";

const bundled = join(import.meta.dirname, "..", "..", "scenarios");
const files = readdirSync(bundled, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));

describe("what a scenario states", () => {
  test("is what --set takes: laid over nothing, the texts of every bundled scenario give its values", () => {
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const text = readFileSync(join(bundled, file), "utf8");
      const { version, name, description, seed, plan, sweep, ...values } = statedValues(text, file) as Record<
        string,
        unknown
      >;
      const settings = Object.entries(statedTexts(values)!).map(([path, value]) => `${path}=${value}`);
      // As a setting, null takes a key away.
      if (settings.some((setting) => setting.endsWith("=null"))) continue;
      expect(statedValues("{}", "empty.yaml", { settings }), file).toEqual(values);
    }
  });

  test("is equal for texts that differ in layout and comments, and has settings in it, not parameters", () => {
    const stated = (text: string, settings: string[] = []) => parseScenario(text, "t.yaml", { settings }).stated();
    expect(stated(`# A comment.\n${minimal.replace("{ id: vllm }", "\n  id: vllm # engine")}`)).toEqual(
      stated(minimal),
    );
    expect(stated(minimal, ["engine.maxNumSeqs=4"])).toEqual({ ...stated(minimal), "engine.maxNumSeqs": "4" });
    const parameter = "\u0024{DIR}";
    const trace = minimal.replace("{ kind: uniform }", `{ kind: trace, file: '${parameter}/t.safetensors' }`);
    const withParams = parseScenario(trace, "t.yaml", { params: { DIR: "/somewhere" } }).stated();
    expect(withParams?.["routing.file"]).toContain(`${parameter}/t.safetensors`);
    expect(JSON.stringify(withParams)).not.toContain("somewhere");
  });

  test("leaves out what results hold elsewhere, and is not held where it is long", () => {
    expect(Object.keys(parseScenario(`${minimal}seed: 4\n`, "t.yaml").stated()!)).not.toContain("seed");
    expect(statedTexts({ name: "x", sweep: { runs: 3 }, nested: { name: "y" } })).toEqual({ "nested.name": "y" });
    expect(statedTexts({ list: Array.from({ length: 5000 }, (_, i) => i) })).toBeNull();
    expect(statedTexts({ a: {}, b: [], c: null, d: [{ e: 1 }, { e: "two" }], f: [1, "x"] })).toEqual({
      a: "{}",
      b: "[]",
      c: "null",
      "d[0].e": "1",
      "d[1].e": "two",
      f: '[1,"x"]',
    });
  });
});
