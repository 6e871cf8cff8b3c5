import { join } from "node:path";
import { expect, test } from "vitest";
import { fromScenario } from "../../src/scenario/file-path.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal, placeOf, problemsOf } from "./example.ts";

const replay = minimal.replace(
  /traffic:[\s\S]*?routing/,
  `traffic: { kind: trace, file: "data/\${NAME}.csv" }\nrouting`,
);
const fileOf = (text: string, params: Record<string, string> = {}) => {
  const { traffic } = parseScenario(text, "test.yaml", { params });
  return traffic.kind === "trace" ? traffic.file : null;
};

test("relative paths start at the folder of the scenario, absolute ones do not", () => {
  expect(fromScenario(join("a", "b", "scenario.yaml"), "trace.csv")).toBe(join("a", "b", "trace.csv"));
  expect(fromScenario(join("a", "scenario.yaml"), join("..", "trace.csv"))).toBe("trace.csv");
  expect(fromScenario(join("a", "scenario.yaml"), join("/", "trace.csv"))).toBe(join("/", "trace.csv"));
});

test("a parameter comes from the caller, else from the scenario", () => {
  expect(fileOf(replay, { NAME: "azure" })).toBe("data/azure.csv");
  expect(fileOf(`params: { NAME: small }\n${replay}`)).toBe("data/small.csv");
  expect(fileOf(`params: { NAME: small }\n${replay}`, { NAME: "azure" })).toBe("data/azure.csv");
});

test("a missing parameter is a problem at the path that needs it", () => {
  for (const text of [replay, `params: { NAME: null }\n${replay}`])
    expect(problemsOf(text)).toMatchObject([
      {
        ...placeOf(text, '"data'),
        at: "traffic.file",
        expected: "a value of the parameter NAME",
        hint: "give --param NAME=PATH, or a default under params",
      },
    ]);
});

test("a parameter that nothing asks for is a problem, with the nearest name", () => {
  expect(problemsOf(replay, { params: { NAME: "a", NAM: "b" } })).toMatchObject([
    { file: "--param NAM=b", hint: "did you mean NAME?" },
  ]);
});

test("parameters stand in paths only: other text keeps its braces", () => {
  const scenario = parseScenario(`description: "\${NAME}"\n${replay}`, "test.yaml", { params: { NAME: "x" } });
  expect(scenario.description).toBe(`\${NAME}`);
});
