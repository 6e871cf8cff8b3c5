import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { jsonDocument } from "../../src/core/json.ts";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { readForecasts } from "../../src/forecast/read-forecast.ts";
import { built, scratch, spawned } from "../cli/command.ts";
import { done } from "../plan/outcomes.ts";
import { planIn, WorldExecutor } from "../plan/worlds.ts";
import { request } from "./example.ts";
import { hasTmux, Terminal } from "./tmux.ts";

if (!hasTmux) process.stderr.write("tmux is not installed: the terminal UI is not tried in a terminal\n");
const { path, write } = scratch();
write("small.yaml", request.text);
write("long.yaml", request.text.replace("requests: 30", "requests: 200000"));
const main = built();
let folders = 0;
let open: Terminal | null = null;
afterEach(() => {
  open?.close();
  open = null;
});

/** Starts the screens in a terminal. `results` is where results are kept. */
function started(words: readonly string[], options: ConstructorParameters<typeof Terminal>[2] = {}) {
  const results = path(`results-${folders++}`);
  open = new Terminal(path("."), [process.execPath, main, "tui", ...words, "--results", results], options);
  return { terminal: open, results };
}

/** The results that were kept. */
function kept(folder: string): Forecast[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => readForecasts(readFileSync(join(folder, name), "utf8"), name).forecasts[0]!);
}

const inTerminal = describe.skipIf(!hasTmux);

inTerminal("somebody who", () => {
  test("runs a scenario, looks at it, asks what-if, exports and leaves finds the terminal as it was, and the result", async () => {
    const { terminal, results } = started([], { width: 120, height: 40 });
    await terminal.sees("small.yaml");
    expect(terminal.fact("alternate_on")).toBe("1");
    expect(terminal.fact("cursor_flag")).toBe("0");
    await terminal.sees(/an expert cache of five slots/);
    terminal.press("/");
    await terminal.sees("filter:");
    terminal.type("small");
    terminal.press("Enter");
    await terminal.sees('with "small"');
    terminal.press("Enter");
    await terminal.sees(/screens[\s\S]*(PASS|FAIL)/);
    terminal.press("3");
    await terminal.sees(/layer/i);
    terminal.press("7");
    await terminal.sees("What if: screens");
    await terminal.sees("parallel.replicas");
    terminal.press("/");
    await terminal.sees("filter:");
    terminal.type("offload.slots");
    terminal.press("Enter");
    await terminal.sees(/policy\.offload\.slots +5/);
    terminal.press("+");
    await terminal.sees("policy.offload.slots=6");
    await terminal.sees(/better|worse/);
    terminal.press("w");
    await terminal.sees("write to:");
    terminal.press("Enter");
    await terminal.sees("written: moecast run what-if.yaml");
    terminal.press("e");
    await terminal.sees("export to");
    for (let i = 0; i < 30; i++) terminal.press("BSpace");
    terminal.type("small.yaml");
    terminal.press("Enter");
    await terminal.sees("nothing is overwritten");
    expect(readFileSync(path("small.yaml"), "utf8")).toBe(request.text);
    terminal.press("q");
    const { code, out, isRestored } = await terminal.ended();
    expect(code).toBe(0);
    expect(isRestored).toBe(true);
    expect(out).toMatch(/before\n.*screens: (PASS|FAIL)/);
    expect(out).toContain("kept in");
    const [forecast, ...others] = kept(results);
    expect(others).toEqual([]);
    expect(forecast).toMatchObject({ interrupted: false, requests: { completed: 30 } });
    const { code: again } = await spawned(["run", path("what-if.yaml"), "-q"]);
    expect([0, 99]).toContain(again);
  });

  test("presses Ctrl-C leaves, and what the run came to is kept", async () => {
    const { terminal, results } = started(["long.yaml"]);
    await terminal.sees(/of 200,?000 requests/);
    terminal.press("C-c");
    const { code, isRestored, out } = await terminal.ended();
    expect({ code, isRestored }).toEqual({ code: 0, isRestored: true });
    expect(out).toContain("kept in");
    expect(kept(results)).toMatchObject([{ interrupted: true }]);
  });

  test("leaves with a run that stands still, and one that waits behind it, does not wait", async () => {
    const { terminal, results } = started(["long.yaml"]);
    await terminal.sees(/of 200,?000 requests/);
    terminal.press("p");
    await terminal.sees("paused");
    terminal.press("r");
    await terminal.sees(/\[?2\]?|running|waiting/);
    terminal.press("q");
    const { code, isRestored } = await terminal.ended();
    expect({ code, isRestored }).toEqual({ code: 0, isRestored: true });
    expect(kept(results)).toMatchObject([{ interrupted: true }]);
  });

  test("opens a large plan sees that it is read, uses the screens meanwhile, and may call it off", async () => {
    const plan = await planIn(new WorldExecutor(() => done({ "tpot.p50": 5, rejected: 0 })), ["plan.budget.devices=2"]);
    const untested = { ...plan.candidates[0]!, status: "untested", figures: null };
    const others = Array.from({ length: 60_000 }, (_, i) => ({ ...untested, id: `other ${i}` }));
    write("large.json", jsonDocument({ ...plan, candidates: [...plan.candidates, ...others] }));
    const { terminal } = started(["large.json"]);
    await terminal.sees("reading large.json ...");
    terminal.press("7");
    await terminal.sees(/7 What-if[\s\S]*reading large\.json \.\.\./);
    await terminal.sees(/10 Plan[\s\S]*60,\d\d\d deployments/);
    terminal.close();
    const again = started(["large.json"]).terminal;
    await again.sees("reading large.json ...");
    again.press("Escape");
    await again.sees(/^(?![\s\S]*reading)[\s\S]*1 Home/);
    again.press("q");
    expect(await again.ended()).toMatchObject({ code: 0, isRestored: true });
  });

  test("changes the size of the window sees the whole of it, and all is there again afterwards", async () => {
    const { terminal } = started([], { width: 80, height: 24 });
    await terminal.sees("Mixtral");
    await terminal.sees("q quit");
    const before = terminal.text();
    for (const [width, height] of [
      [200, 60],
      [40, 10],
      [120, 40],
      [1, 1],
      [80, 24],
    ] as const) {
      terminal.resize(width, height);
      if (width < 40) continue;
      await terminal.sees("q quit", () => terminal.lines().slice(0, height).at(-2) ?? "");
      await terminal.sees(/^.{0,3}moecast/, () => terminal.lines()[0] ?? "");
    }
    await terminal.sees("q quit", () => terminal.lines()[22] ?? "");
    expect(terminal.text()).toBe(before);
  });
});

inTerminal("a session that is ended by", () => {
  test.each([
    ["SIGTERM", 143],
    ["SIGHUP", 143],
    ["SIGINT", 130],
  ] as const)("%s gives the terminal back, and keeps what the run came to", async (signal, expected) => {
    const { terminal, results } = started(["long.yaml"]);
    await terminal.sees(/of 200,?000 requests/);
    terminal.signal(signal);
    const { code, isRestored, out } = await terminal.ended();
    expect({ code, isRestored }).toEqual({ code: expected, isRestored: true });
    expect(out).toContain("kept in");
    expect(kept(results)).toMatchObject([{ interrupted: true }]);
  });

  test("the end of its terminal keeps what the run came to", async () => {
    const { terminal, results } = started(["long.yaml"]);
    await terminal.sees(/of 200,?000 requests/);
    const { pid } = terminal;
    terminal.close();
    const isGone = () => {
      try {
        process.kill(pid, 0);
        return "running";
      } catch {
        return "gone";
      }
    };
    await terminal.sees("gone", isGone);
    expect(kept(results)).toMatchObject([{ interrupted: true }]);
  });
});

inTerminal("on a terminal", () => {
  const colours = /\[(?:\d+;)*(?:3[1-6]|9[1-6]|4[1-6]|[34]8;[\d;]+)(?:;\d+)*m/;

  test("there are colours, and none with NO_COLOR and --no-color", async () => {
    const shown = async (words: readonly string[], environment: Readonly<Record<string, string>>) => {
      const { terminal } = started(words, { environment });
      await terminal.sees("q quit");
      const text = terminal.lines("-e").join("\n");
      terminal.close();
      return text;
    };
    expect(await shown([], {})).toMatch(colours);
    expect(await shown([], { NO_COLOR: "1" })).not.toMatch(colours);
  });

  test.each([
    ["that is dumb", { TERM: "dumb" }],
    ["without UTF-8", { LANG: "C" }],
  ] as const)("%s the screens work", async (_, environment) => {
    const { terminal } = started([], { environment });
    await terminal.sees("q quit");
    await terminal.sees("Mixtral");
    const text = terminal.lines("-e").join("\n");
    if ("LANG" in environment) expect(terminal.text()).toMatch(/^[\n -~]*$/);
    else expect(text).not.toContain("\u001b[1m");
    terminal.press("2");
    await terminal.sees("No run yet");
    terminal.press("q");
    expect(await terminal.ended()).toMatchObject({ code: 0, isRestored: true });
  });

  test("a screen reader gets lines, and the terminal is given back", async () => {
    const { terminal } = started(["--screen-reader"]);
    await terminal.sees("small.yaml");
    expect(terminal.fact("alternate_on")).toBe("0");
    terminal.press("2");
    await terminal.sees("No run yet");
    terminal.press("q");
    expect(await terminal.ended()).toMatchObject({ code: 0, isRestored: true });
  });

  test("other keys are those of the file, and a file that is wrong is refused before anything is drawn", async () => {
    write("keys.json", '{"quit": ["Q"], "home.filter": ["f"]}');
    const { terminal } = started(["--keys", "keys.json"]);
    await terminal.sees("Q quit");
    terminal.press("f");
    await terminal.sees("filter:");
    terminal.press("Escape");
    await terminal.sees(/^(?![\s\S]*filter:)/);
    terminal.press("Q");
    expect(await terminal.ended()).toMatchObject({ code: 0, isRestored: true });
    terminal.close();
    write("keys.json", '{"quitt": ["Q"]}');
    const { terminal: other } = started(["--keys", "keys.json"]);
    const { code, out, isRestored } = await other.ended();
    expect({ code, isRestored }).toEqual({ code: 3, isRestored: true });
    expect(out.replaceAll("\n", "")).toContain("expected an action, such as quit");
  });

  test.each([[["--plain"]], [["--no-tui"]], [["--json"]]])("%j: lines, without a screen", async (words) => {
    const { terminal } = started(["small.yaml", ...words]);
    const { out } = await terminal.ended();
    expect(terminal.fact("alternate_on")).toBe("0");
    expect(out).toMatch(words[0] === "--json" ? /"moecastVersion"|"forecasts"|\}/ : /screens/);
  });

  test("CI=1: the same", async () => {
    const { terminal } = started(["small.yaml"], { environment: { CI: "1" }, height: 100 });
    const { out, isRestored } = await terminal.ended();
    expect(out).toContain("screens");
    expect(isRestored).toBe(true);
  });
});

describe("where nobody sees screens", () => {
  test("the same is said as by `moecast run`, in the same bytes, without a sequence for a terminal", async () => {
    for (const [words, asRun] of [
      [[[], ["--plain"], ["--no-tui"]], []],
      [[["--json"]], ["--json"]],
    ] as const) {
      const run = await spawned(["run", path("small.yaml"), ...asRun]);
      for (const more of words) {
        const tui = await spawned(["tui", path("small.yaml"), ...more]);
        expect(tui).toEqual(run);
        expect(tui.out + tui.err).not.toContain("\u001b");
      }
    }
  });

  test("lists what could be run", async () => {
    mkdirSync(path("own"), { recursive: true });
    write("own/mine.yaml", request.text);
    const results = ["--results", path("nothing")];
    const plain = await spawned(["tui", ...results], { cwd: path("own") });
    expect(plain.code).toBe(0);
    expect(plain.out).toContain("mine.yaml");
    expect(plain.out).not.toContain("\u001b");
    const json = await spawned(["tui", "--json", ...results], { cwd: path("own") });
    expect(JSON.parse(json.out)).toMatchObject({ scenarios: [{ file: "mine.yaml", name: "screens" }], results: [] });
  });

  test("loads nothing that draws screens", async () => {
    const loaded = async (words: readonly string[]) => {
      const folder = path(`coverage-${folders++}`);
      const env = process.env["NODE_V8_COVERAGE"];
      process.env["NODE_V8_COVERAGE"] = folder;
      try {
        await spawned(words);
      } finally {
        if (env === undefined) delete process.env["NODE_V8_COVERAGE"];
        else process.env["NODE_V8_COVERAGE"] = env;
      }
      return readdirSync(folder)
        .flatMap(
          (name) => (JSON.parse(readFileSync(join(folder, name), "utf8")) as { result: { url: string }[] }).result,
        )
        .map(({ url }) => url);
    };
    for (const words of [["run", path("small.yaml"), "-q"], ["tui", path("small.yaml")], ["--help"]]) {
      const urls = await loaded(words);
      expect(urls.some((url) => url.endsWith("cli/main.js"))).toBe(true);
      expect(urls.filter((url) => /node_modules\/(?:ink|react|@inkjs)\/|tui\/(?:session|screens)/.test(url))).toEqual(
        [],
      );
    }
  });
});
