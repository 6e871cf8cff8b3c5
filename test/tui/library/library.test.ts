import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { OutputError, UsageError } from "../../../src/core/errors.ts";
import { forecastScenario } from "../../../src/forecast/forecast-scenario.ts";
import { exporters } from "../../../src/report/exporters.ts";
import { jsonExport } from "../../../src/report/json.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { emptyLibrary } from "../../../src/tui/library/library.ts";
import { listLibrary } from "../../../src/tui/library/list-library.ts";
import { readLibrary } from "../../../src/tui/library/read-library.ts";
import { defaultResultsFolder } from "../../../src/tui/library/results-folder.ts";
import { readResult, savedResults, saveResult } from "../../../src/tui/library/saved-results.ts";
import { writeDetails, writeResult } from "../../../src/tui/library/write-result.ts";
import { writeScenario } from "../../../src/tui/library/write-scenario.ts";
import { scratch } from "../../cli/command.ts";
import { details, forecast, request } from "../example.ts";

const { path, write } = scratch();
const posix = process.platform !== "win32";

/** A folder with files in it. */
function folderOf(name: string, files: Readonly<Record<string, string>> = {}): string {
  mkdirSync(path(name), { recursive: true });
  for (const [file, text] of Object.entries(files)) write(`${name}/${file}`, text);
  return path(name);
}

const named = (name: string) => ({ ...forecast, scenario: { ...forecast.scenario, name } });

describe("scenarios", () => {
  test("those of the folder come first, then those that come with the program, the quickstart first of them", async () => {
    const folder = folderOf("own", { "b.yaml": request.text, "a.yml": request.text, "notes.txt": "", "c.json": "{}" });
    folderOf("own/scenarios/deep", { "d.yaml": request.text });
    folderOf("own/elsewhere", { "e.yaml": request.text });
    const { scenarios, results } = await listLibrary(folder);
    const own = scenarios.filter(({ bundled }) => !bundled);
    expect(own.map(({ file }) => file)).toEqual(["a.yml", "b.yaml", join("scenarios", "deep", "d.yaml")]);
    const bundled = scenarios.slice(own.length);
    expect(bundled.every((entry) => entry.bundled && isAbsolute(entry.file))).toBe(true);
    expect(bundled[0]!.shown).toBe("quickstart.yaml");
    for (const { file } of scenarios) expect(existsSync(resolve(folder, file))).toBe(true);
    expect(results).toEqual([]);
  });

  test("those that come with the program are listed once in its own folder", async () => {
    const { scenarios } = await listLibrary(resolve("."));
    const files = scenarios.map(({ file }) => resolve(file));
    expect(new Set(files).size).toBe(files.length);
    // By its name it could be one; it is left out once it was read.
    expect(scenarios.filter(({ bundled }) => !bundled).map(({ file }) => file)).toEqual(["action.yml"]);
  });

  test("say what they are, once they were read", async () => {
    const folder = folderOf("said", {
      "own.yaml": request.text,
      "hostile.yaml": request.text.replace("name: screens", 'name: "\\e[2J\\nx"'),
    });
    const { scenarios } = await readLibrary(await listLibrary(folder), folder, path("nowhere"));
    const at = (file: string) => scenarios.find((entry) => entry.file === file)!;
    expect(at("own.yaml")).toMatchObject({ name: "screens", description: expect.stringContaining("Mixtral") });
    expect(at("hostile.yaml").name).toBe("\ufffd[2J x");
    for (const { name, bundled } of scenarios) if (bundled) expect(name).not.toBeNull();
  });

  test("what cannot be one is left out: other YAML, broken and empty files, folders, pipes, loops", async () => {
    const folder = folderOf("hostile", {
      "other.yaml": "services:\n  web: {}\n",
      "broken.yaml": "traffic: [\n",
      "alias.yaml": "traffic: &a [*a]\n",
      "empty.yaml": "",
      "binary.yaml": "\u0000\u0001",
      "traffic.yaml": "traffic: 7\n",
      "good.yaml": request.text,
    });
    writeFileSync(join(folder, "latin1.yaml"), Buffer.from([0x74, 0x72, 0xff, 0xfe]));
    mkdirSync(join(folder, "folder.yaml"), { recursive: true });
    if (posix) {
      execFileSync("mkfifo", [join(folder, "pipe.yaml")]);
      symlinkSync("loop.yaml", join(folder, "loop.yaml"));
      symlinkSync("gone", join(folder, "dangling.yaml"));
    }
    const { scenarios } = await readLibrary(await listLibrary(folder), folder, path("nowhere"));
    expect(scenarios.filter(({ bundled }) => !bundled).map(({ file }) => file)).toEqual([
      "alias.yaml",
      "good.yaml",
      "traffic.yaml",
    ]);
  });

  test("at most 200 of a folder are listed, and a folder that is not there has none", async () => {
    const many = folderOf("many", Object.fromEntries(Array.from({ length: 205 }, (_, i) => [`s${i}.yaml`, ""])));
    expect((await listLibrary(many)).scenarios.filter(({ bundled }) => !bundled)).toHaveLength(200);
    expect((await listLibrary(path("nowhere"))).scenarios.every(({ bundled }) => bundled)).toBe(true);
  });
});

describe("saved results", () => {
  test("are kept as `run --export json` writes them, and read back", async () => {
    const folder = path("new/results");
    const file = await saveResult(folder, forecast, Date.UTC(2026, 10, 30, 16, 40, 5, 7));
    expect(file).toBe(join(folder, "20261130-164005-007-screens.json"));
    expect(readFileSync(file, "utf8")).toBe(jsonExport.render([forecast]));
    expect(jsonExport.render([await readResult(file)])).toBe(jsonExport.render([forecast]));
    const [entry, ...others] = await savedResults(folder);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ file, name: "screens", passed: forecast.passed, interrupted: false });
    expect(entry!.saved).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(entry!.headline).toMatch(/^(PASS|FAIL)/);
  });

  test("names never leave the folder, whatever a scenario is called", async () => {
    const folder = path("names");
    for (const [i, name] of [
      "../../etc/passwd",
      "..",
      "/abs",
      "a\u0000b\n",
      "専門家",
      "",
      "C:\\x",
      "x".repeat(300),
    ].entries()) {
      const file = await saveResult(folder, named(name), i);
      expect(resolve(file, "..")).toBe(resolve(folder));
      expect((await readResult(file)).scenario.name).toBe(name);
    }
    expect(readdirSync(folder)).toHaveLength(8);
  });

  test("the newest come first, fifty at most, and what is none is left out", async () => {
    const folder = folderOf("mixed", {
      "not.json": "{}",
      "broken.json": "{",
      "empty.json": "",
      "nested.json": "[".repeat(10_000),
      "prototype.json": '{"__proto__": {"forecasts": []}}',
      "sweep.json": '{"forecasts": []}',
      "readme.txt": "",
    });
    mkdirSync(join(folder, "folder.json"));
    if (posix) execFileSync("mkfifo", [join(folder, "pipe.json")]);
    for (let i = 0; i < 52; i++) {
      const file = await saveResult(folder, named(`r${i}`), i);
      utimesSync(file, i, i);
    }
    const entries = await savedResults(folder);
    expect(entries.length).toBeGreaterThan(40);
    expect(entries.map(({ name }) => name)).toEqual(entries.map((_, i) => `r${51 - i}`));
    expect(await savedResults(path("nowhere"))).toEqual([]);
  });

  test.runIf(posix)("a place that cannot be written says so, and no part of a file stays", async () => {
    folderOf("taken", { file: "" });
    for (const folder of [path("taken/file"), "/proc/moecast", "/dev/full"])
      await expect(saveResult(folder, forecast, 0)).rejects.toThrow(OutputError);
    expect(readdirSync(path("taken"))).toEqual(["file"]);
  });

  test("lie in the state folder of the user", () => {
    expect(defaultResultsFolder({ XDG_STATE_HOME: "/state" })).toBe(join("/state", "moecast", "results"));
    expect(defaultResultsFolder({ XDG_STATE_HOME: "" })).toMatch(/[\\/]\.local[\\/]state[\\/]moecast[\\/]results$/);
  });
});

describe("what is written", () => {
  test("a result, in the format of its ending", async () => {
    for (const [ending, begins] of [
      ["json", "{"],
      ["csv", "scenario"],
      ["md", "#"],
      ["xml", "<?xml"],
    ] as const) {
      await writeResult(path(`out.${ending}`), forecast);
      expect(
        readFileSync(path(`out.${ending}`), "utf8")
          .trimStart()
          .startsWith(begins),
        ending,
      ).toBe(true);
    }
  });

  test("what happened in a run, as the command writes it", async () => {
    for (const format of ["details", "requests"] as const) {
      await writeDetails(path(`run.${format}`), format, forecast, details!);
      expect(readFileSync(path(`run.${format}`), "utf8")).toBe(
        exporters[format].render([forecast], { details: [details!] }),
      );
      await expect(writeDetails(path(`run.${format}`), format, forecast, details!)).rejects.toThrow(OutputError);
    }
  });

  test.each(["out", "out.pdf", "out.constructor", ".", "json"])("not under a name such as %s", async (name) => {
    await expect(writeResult(path(name), forecast)).rejects.toThrow(UsageError);
  });

  test("a scenario, with its settings in it: it runs alike", async () => {
    const changed = { ...request, settings: ["traffic.requests=10", "policy.offload.slots=3"] };
    const file = path("mine.yaml");
    await writeScenario(file, changed, "mine");
    const readText = async (name: string) => readFileSync(name, "utf8");
    const mine = await forecastScenario(parseScenario(await readText(file), file), { readText });
    const { settings, params } = changed;
    const theirs = await forecastScenario(parseScenario(request.text, request.file, { settings, params }), {
      readText,
    });
    expect(mine.scenario.name).toBe("mine");
    expect(mine.latency).toEqual(theirs.latency);
  });

  test("nothing is overwritten", async () => {
    for (const name of ["there.yaml", "there.json"]) {
      write(name, "mine");
      const writing = name.endsWith("yaml")
        ? writeScenario(path(name), request, "x")
        : writeResult(path(name), forecast);
      await expect(writing).rejects.toThrow(OutputError);
      expect(readFileSync(path(name), "utf8")).toBe("mine");
    }
  });

  test("nothing where there is no folder", async () => {
    await expect(writeResult(path("no/such/out.json"), forecast)).rejects.toThrow(OutputError);
  });
});

test("an empty library has nothing", () => {
  expect(Object.values(emptyLibrary).flat()).toEqual([]);
});
