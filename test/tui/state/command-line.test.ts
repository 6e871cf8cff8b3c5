import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobBase } from "../../../src/plan/job/job.ts";
import { commandLine, writingCommand } from "../../../src/tui/state/command-line.ts";
import { drawn } from "../../drawn.ts";

/** The words that a POSIX shell makes of lines, each line those of one program. */
function wordsOf(lines: readonly string[]): string[][] {
  const script = lines.map((line) => line.replace(/^moecast /, `printf '%s\\0' `)).join(`\nprintf '\\1'\n`);
  const out = execFileSync("sh", ["-c", script], { encoding: "utf8" });
  return out.split("\u0001").map((words) => words.split("\0").slice(0, -1));
}

const meant = ({ file, settings, params }: JobBase): string[] => [
  "run",
  file,
  ...settings.flatMap((setting) => ["--set", setting]),
  ...Object.entries(params).flatMap(([name, value]) => ["--param", `${name}=${value}`]),
];

const word = fc.oneof(
  fc.constantFrom(
    "a.yaml",
    "policy.offload.flags=--n-cpu-moe 6",
    "slo.ttft[0]=p(99)<1s",
    "policy.offload={kind: lru, slots: 29}",
    'traffic={"kind":"generated"}',
    "it's",
    "'",
    "$HOME",
    "`id`",
    "a\\",
    "a\nb",
    "~",
    "#x",
    "!!",
    "*",
    "専門家",
    "-n",
    "",
  ),
  // A shell takes no NUL.
  fc.string({ unit: "binary", maxLength: 12 }).map((text) =>
    Array.from(text)
      .filter((char) => char > "\u0001" && !/\p{Cs}/u.test(char))
      .join(""),
  ),
);
const request = fc.record({
  file: word,
  text: fc.constant(""),
  settings: fc.array(word, { maxLength: 4 }),
  params: fc.dictionary(fc.constantFrom("A", "B_2"), word, { maxKeys: 2 }),
});

test.runIf(process.platform !== "win32")("a shell makes the words of it that were meant", () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 40 }), (requests) => {
      expect(wordsOf(requests.map(commandLine))).toEqual(requests.map(meant));
    }),
    { numRuns: drawn(40) },
  );
});

test.runIf(process.platform !== "win32")("a file that is written beside is one word more", () => {
  fc.assert(
    fc.property(request, word, (one, path) => {
      expect(wordsOf([writingCommand(one, "details", path)])).toEqual([[...meant(one), "--export", `details=${path}`]]);
    }),
    { numRuns: drawn(20) },
  );
});

test("plain words stay as they are", () => {
  const params = { DATA: "/data/x" };
  expect(commandLine({ file: "scenarios/quickstart.yaml", text: "", settings: ["parallel.ep=16"], params })).toBe(
    "moecast run scenarios/quickstart.yaml --set parallel.ep=16 --param DATA=/data/x",
  );
});
