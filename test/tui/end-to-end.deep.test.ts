import { execFileSync } from "node:child_process";
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

/** An interactive shell in a terminal, that has started the screens as a job. */
function inShell(words: readonly string[]) {
  const results = path(`results-${folders++}`);
  open = new Terminal(path("."), ["sh", "-i"], { environment: { PS1: "shell> " } });
  open.type([process.execPath, main, "tui", ...words, "--results", results].join(" "));
  open.press("Enter");
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
      await terminal.sees(/\b1\b/, () => terminal.lines()[0] ?? "");
    }
    await terminal.sees("q quit", () => terminal.lines()[22] ?? "");
    expect(terminal.text()).toBe(before);
  });
});

inTerminal("Ctrl-Z", () => {
  /** The process of the screens below a process. */
  function jobOf(pid: number): number {
    const words = execFileSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" }).split("\n");
    const rows = words.map((row) => row.trim().split(/\s+/));
    const [child] = rows.filter(([, parent]) => Number(parent) === pid);
    if (child === undefined) throw new Error("nothing runs there");
    return child[2] === "sh" ? jobOf(Number(child[0])) : Number(child[0]);
  }

  /** The shell has its terminal as it had given it. */
  async function isBack(terminal: Terminal, word: string): Promise<void> {
    await terminal.sees(/Stopped[\s\S]*shell> $/, () => terminal.text().trimEnd().concat(" "));
    expect([terminal.fact("alternate_on"), terminal.fact("cursor_flag")]).toEqual(["0", "1"]);
    terminal.type(`echo ${word}=$((40+2)); stty -a`);
    terminal.press("Enter");
    const seen = await terminal.sees(new RegExp(`${word}=42[\\s\\S]*\\bechoke\\b`));
    const modes = seen.slice(seen.indexOf(`${word}=42`)).split(/\s+/);
    for (const mode of ["icanon", "echo", "isig", "icrnl", "opost"]) expect(modes).toContain(mode);
    terminal.type("clear");
    terminal.press("Enter");
    await terminal.sees(/^shell> *\n\s*$/);
  }

  test("gives the terminal back to the shell, and fg shows the screen again, in the size that the terminal has then", async () => {
    const { terminal, results } = inShell(["long.yaml"]);
    await terminal.sees(/of 200,?000 requests/);
    terminal.press("C-z");
    await isBack(terminal, "screens");
    terminal.resize(120, 30);
    terminal.type("fg");
    terminal.press("Enter");
    await terminal.sees(/^moecast {2}1 Home {2}2 Run[^\n]*10 Plan/);
    await terminal.sees("q quit", () => terminal.lines()[28] ?? "");
    expect([terminal.fact("alternate_on"), terminal.fact("cursor_flag")]).toEqual(["1", "0"]);
    terminal.press("1", "/");
    await terminal.sees("filter:");
    terminal.type("ab");
    await terminal.sees("filter: ab");
    terminal.press("C-z");
    await isBack(terminal, "typing");
    terminal.type("fg");
    terminal.press("Enter");
    await terminal.sees("filter: ab");
    terminal.type("c");
    await terminal.sees("filter: abc");
    terminal.press("Escape");
    await terminal.sees(/^(?![\s\S]*filter:)/);
    terminal.press("?");
    await terminal.sees("type to filter");
    terminal.press("C-z");
    await isBack(terminal, "help");
    terminal.type("fg");
    terminal.press("Enter");
    await terminal.sees("type to filter");
    terminal.press("C-c");
    await terminal.sees(/kept in[\s\S]*shell>/);
    expect(kept(results)).toMatchObject([{ interrupted: true }]);
  });

  test("from outside does the same, and SIGSTOP, before which nothing can be given back, is followed by the whole screen", async () => {
    const { terminal } = inShell([]);
    await terminal.sees("q quit");
    const pid = Number(terminal.fact("pane_pid"));
    process.kill(jobOf(pid), "SIGTSTP");
    await isBack(terminal, "outside");
    for (const signal of ["SIGTSTP", "SIGSTOP"] as const) {
      if (signal === "SIGSTOP") {
        process.kill(jobOf(pid), signal);
        await terminal.sees("topped (signal)");
      }
      // A terminal in raw mode sends no line feed for Enter.
      terminal.type("fg");
      terminal.press("C-j");
      await terminal.sees("q quit", () => terminal.lines()[22] ?? "");
      await terminal.sees(/^1 Home 2 Run /);
      terminal.press("2");
      await terminal.sees("No run yet");
    }
    terminal.press("q");
    await terminal.sees(/shell> *\n*$/);
  });

  test("does nothing where no shell would wake the job", async () => {
    const { terminal } = started([]);
    await terminal.sees("small.yaml");
    terminal.press("C-z");
    await terminal.sees("q quit");
    terminal.press("2");
    await terminal.sees("No run yet");
    terminal.press("q");
    expect(await terminal.ended()).toMatchObject({ code: 0, isRestored: true });
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

  test.each(["stdin", "stdout"] as const)(
    "the end of the terminal that is its %s alone ends with 143",
    async (which) => {
      const other = new Terminal(path("."), ["sleep", "600"]);
      try {
        const tty = other.fact("pane_tty");
        const results = path(`results-${folders++}`);
        const script = which === "stdin" ? `exec "$0" "$@" < ${tty}` : `exec "$0" "$@" > ${tty}`;
        open = new Terminal(path("."), [
          ...["sh", "-c", script, process.execPath, main],
          ...["tui", "long.yaml", "--results", results],
        ]);
        await (which === "stdin" ? open : other).sees(/\d of 200,?000 requests/);
        other.close();
        const { code, isRestored } = await open.ended();
        expect({ code, isRestored }).toEqual({ code: 143, isRestored: true });
        expect(kept(results)).toMatchObject([{ interrupted: true }]);
      } finally {
        other.close();
      }
    },
  );

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

inTerminal("a scenario that", () => {
  test("does not come is waited for on the message line, and keys work meanwhile", async () => {
    execFileSync("mkfifo", [path("slow.yaml")]);
    const { terminal } = started(["slow.yaml"]);
    await terminal.sees("waiting for input from slow.yaml", () => terminal.lines()[21] ?? "");
    expect(terminal.lines()[22]).toContain("q quit");
    terminal.press("2");
    await terminal.sees("No run yet");
    const sinceMs = Date.now();
    terminal.press("q");
    expect(await terminal.ended()).toMatchObject({ code: 0, isRestored: true });
    // The pipe itself would be waited for thirty seconds.
    expect(Date.now() - sinceMs).toBeLessThan(20_000);
  });

  test("comes late through a pipe is run", async () => {
    execFileSync("mkfifo", [path("late.yaml")]);
    const { terminal } = started(["late.yaml"]);
    await terminal.sees("waiting for input from late.yaml");
    write("late.yaml", request.text);
    await terminal.sees(/screens[\s\S]*(PASS|FAIL)/);
  });

  test("is the terminal itself is refused, and keys stay keys", async () => {
    const { terminal } = started(["/dev/stdin"]);
    await terminal.sees("not the terminal that keys come from");
    terminal.press("2");
    await terminal.sees("No run yet");
  });
});

inTerminal("a result that cannot be kept", () => {
  test("is said once on the screen, stays on it, and makes the exit code 2", async () => {
    write("no-folder", "a file");
    open = new Terminal(path("."), [process.execPath, main, "tui", "small.yaml", "--results", "no-folder"]);
    await open.sees(/screens[\s\S]*(PASS|FAIL)[\s\S]*cannot write no-folder/);
    expect(open.text().match(/cannot write/g)).toHaveLength(1);
    open.press("3");
    await open.sees(/layer/i);
    expect(open.text()).not.toContain("cannot write");
    open.press("q");
    const { code, out, isRestored } = await open.ended();
    expect({ code, isRestored }).toEqual({ code: 2, isRestored: true });
    expect(out).toMatch(/screens: (PASS|FAIL)/);
    expect(out).toContain("not kept: cannot write no-folder");
    expect(readFileSync(path("no-folder"), "utf8")).toBe("a file");
  });
});

inTerminal("on a terminal", () => {
  test("a paste into a line is one line, and none beside it", async () => {
    const { terminal } = started([]);
    await terminal.sees("small.yaml");
    terminal.paste("2\nq");
    terminal.press("/");
    await terminal.sees("filter:");
    terminal.paste("sma\nll  x\n");
    await terminal.sees("filter: sma ll x");
    terminal.press("Enter");
    await terminal.sees('with "sma ll x"');
  });

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
    const { terminal: one } = started(["--keys", "keys.json"]);
    await one.sees("Q quit");
    one.press("C-c");
    expect(await one.ended()).toMatchObject({ code: 0, isRestored: true });
    one.close();
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
      expect(urls.filter((url) => /node_modules\/(?:ink|react)\/|tui\/(?:session|screens)/.test(url))).toEqual([]);
    }
  });
});
