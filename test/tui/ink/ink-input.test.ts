import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { InkInput } from "../../../src/tui/ink/ink-input.ts";

/** Keys that come from a terminal, and what Ink is given. */
function terminal() {
  const state = { ready: true, line: null as string | null };
  const given: string[] = [];
  const held: string[] = [];
  const stdin = new PassThrough();
  const input = new InkInput(stdin as unknown as NodeJS.ReadStream, {
    isReady: () => state.ready,
    line: () => state.line,
    pressed: (key) => held.push(key),
  });
  input.on("data", (part: string) => given.push(String(part)));
  return { state, given, held, stdin };
}

test("keys wait until what hears them is what is shown, and none is lost or changes its place", async () => {
  const { state, given, stdin } = terminal();
  stdin.write("/");
  await sleep(20);
  // The line is asked for, and not there yet.
  state.ready = false;
  state.line = "";
  stdin.write("sma");
  stdin.write("ll\r");
  await sleep(50);
  expect(given).toEqual(["/"]);
  state.ready = true;
  await sleep(50);
  expect(given.join("")).toBe("/small\r");
  state.line = null;
  stdin.write("qq");
  await sleep(50);
  expect(given.slice(-2)).toEqual(["q", "q"]);
});

test("what a key changes is known before the next one is read, however they come", async () => {
  const { state, given, stdin } = terminal();
  // A line is asked for by the first key: the others are text, and stay together.
  stdin.once("data", () =>
    setImmediate(() => {
      state.line = "";
    }),
  );
  stdin.write("/");
  await sleep(20);
  stdin.write("abc");
  stdin.write("def");
  await sleep(50);
  expect(given).toEqual(["/", "abc", "def"]);
});

test("Ctrl+U takes away as much as has been typed", async () => {
  const { state, given, stdin } = terminal();
  state.line = "typed since";
  stdin.write("\u0015");
  await sleep(50);
  expect(given.join("")).toBe("\u007f".repeat("typed since".length));
});
