import { expect, test } from "vitest";
import { paramsFor } from "../../src/cli/scenario-params.ts";

/** Files that are there, by path as it is asked for. */
const having = (...files: string[]) => ({
  whatIs: (path: string) => Promise.resolve(files.includes(path) ? ("file" as const) : ("nothing" as const)),
});

test("a parameter's path starts at the scenario, and at the shell where the scenario has nothing there", async () => {
  const params = { DATA: "trace.csv" };
  expect(await paramsFor("deployments/a.yaml", params, having("deployments/trace.csv", "trace.csv"))).toEqual(params);
  expect(await paramsFor("deployments/a.yaml", params, having("trace.csv"))).toEqual({ DATA: "../trace.csv" });
  expect(await paramsFor("deployments/a.yaml", params, having())).toEqual(params);
  expect(await paramsFor("deployments/a.yaml", { DATA: "/data" }, having("/data"))).toEqual({ DATA: "/data" });
});
