import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path, write } = scratch();
const scenario = () => path("small.yaml");
const result = () => path("result.json");

beforeAll(async () => {
  write("small.yaml", readFileSync("test/fixtures/scenarios/small.yaml", "utf8"));
  const words = ["run", scenario(), "--set", "traffic.requests=30", "--no-advice", "-q", "--no-thresholds"];
  await moecast([...words, "--export", `json=${result()}`, "--export", `html=${path("run.html")}`]);
}, 60_000);

const report = (...words: string[]) => moecast(["report", ...words, "-q"]);

describe("report", () => {
  test("of a result is the page that the run itself exports, and gives itself again", async () => {
    const { code, out, err } = await report(result(), "-o", path("report.html"));
    expect([code, out, err]).toEqual([0, "", ""]);
    const page = readFileSync(path("report.html"), "utf8");
    expect(page).toBe(readFileSync(path("run.html"), "utf8"));
    expect((await report(path("report.html"), "-o", path("again.html"))).code).toBe(0);
    expect(readFileSync(path("again.html"), "utf8")).toBe(page);
  });

  test("of several results shows all of them side by side", async () => {
    expect((await report(result(), path("run.html"), "-o", path("both.html"))).code).toBe(0);
    expect(readFileSync(path("both.html"), "utf8")).toMatch(/<h1>2 forecasts<\/h1>[\s\S]*Side by side/);
  });

  test("runs the scenario again where it is asked to explain, and what it embeds stays the result", async () => {
    const words = [result(), "--explain", "--sensitivity", "-o", path("full.html")];
    const { code, err } = await report(...words);
    expect([code, err]).toEqual([0, ""]);
    const page = readFileSync(path("full.html"), "utf8");
    expect(page).toMatch(/id="explanation">[\s\S]*What would help[\s\S]*id="sensitivities">[\s\S]*What moves /);
    expect((await report(path("full.html"), "-o", path("plain.html"))).code).toBe(0);
    expect(readFileSync(path("plain.html"), "utf8")).toBe(readFileSync(path("run.html"), "utf8"));
  }, 120_000);

  test("does not run a scenario again that has changed meanwhile", async () => {
    const other = write(
      "other.yaml",
      `${readFileSync("test/fixtures/scenarios/small.yaml", "utf8")}# changed
`,
    );
    const { code, err } = await report(result(), "--explain", "--scenario", other, "-o", path("other.html"));
    expect(code).toBe(3);
    expect(err).toMatch(/other\.yaml: expected the scenario that the result was made from, sha256/);
    expect(existsSync(path("other.html"))).toBe(false);
  });

  test.each([
    ["no file", ["nothing.json"], 3, /nothing\.json/],
    ["another document", ["other.json"], 3, /kind: expected "forecast"/],
    ["a damaged result", ["damaged.json"], 3, /latency/],
    ["a page of somebody else", ["foreign.html"], 3, /valid JSON/],
    ["an empty file", ["empty.json"], 3, /valid JSON/],
    ["a folder that is no sweep", ["folder"], 3, /sweep\.json/],
    ["several results to be explained", ["result.json", "result.json", "--explain"], 2, /one result of one scenario/],
  ])("refuses %s, and leaves no page", async (_, words, expected, message) => {
    write("other.json", "{}");
    write("damaged.json", readFileSync(result(), "utf8").replace(/"latency": \{/, '"latency": [], "x": {'));
    write("foreign.html", "<!doctype html><title>x</title>");
    write("empty.json", "");
    mkdirSync(path("folder"), { recursive: true });
    const given = words.map((word) => (word.startsWith("-") ? word : path(word)));
    const { code, out, err } = await report(...given, "-o", path("none.html"));
    expect([code, out]).toEqual([expected, ""]);
    expect(err).toMatch(message);
    expect(existsSync(path("none.html"))).toBe(false);
  });

  test("says where a page cannot be written", async () => {
    const { code, err } = await report(result(), "-o", path("no/folder/x.html"));
    expect(code).toBe(2);
    expect(err).toMatch(/no\/folder/);
  });
});
