import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { watchInterrupts } from "../../src/cli/interrupt.ts";
import { processIo } from "../../src/cli/io.ts";
import { cooperatively } from "../../src/files/cooperative.ts";
import { inOneStretch } from "../../src/files/signals.ts";
import { writeOutput } from "../../src/files/write-output.ts";
import { parametricRouting, parametricSteps } from "../../src/trace/synthesis/parametric-routing.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder, path } = scratch();
const posix = process.platform !== "win32";
const small = "small.yaml";
const trace = resolve("scenarios/traces/mini-moe.safetensors");
const quiet = { ...processIo(false), err: () => {} };

/** Whether somebody has opened a named pipe for reading. */
function isRead(pipe: string): boolean {
  try {
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal to this process as soon as a command has something to keep. */
async function interrupted(words: readonly string[], signal: NodeJS.Signals, when: () => boolean = () => true) {
  let sentAt = 0;
  const timer = setInterval(() => {
    if (sentAt > 0 || process.listenerCount(signal) === 0 || !when()) return;
    sentAt = performance.now();
    process.emit(signal);
  }, 20);
  const ended = await moecast(words).finally(() => clearInterval(timer));
  return { ...ended, seconds: (performance.now() - sentAt) / 1000, sent: sentAt > 0 };
}

afterEach(() => {
  vi.restoreAllMocks();
  expect([process.listenerCount("SIGINT"), process.listenerCount("SIGTERM")]).toEqual([0, 0]);
});

describe.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s", (signal, expected) => {
  test.runIf(posix)(
    "while a scenario is read or resolved keeps the ones before it, and names the others",
    async () => {
      const json = path(`${signal}.json`);
      const pipe = path(`${signal}.yaml`);
      execFileSync("mkfifo", [pipe]);
      const words = ["run", small, pipe, small, "--summary", "compact", "-q", "--export", `json=${json}`];
      const { code, err, seconds } = await interrupted(words, signal, () => isRead(pipe));
      // A process would have ended. Here the reader of the pipe goes on until something comes.
      writeFileSync(pipe, "end");
      expect(code).toBe(expected);
      expect(err).toContain(`not run: ${pipe}, ${small}\n`);
      expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ scenario: { name: "small" }, interrupted: false });
      expect(seconds).toBeLessThan(5);
    },
    30_000,
  );

  test("ends live measurements, and nothing is written of too little", async () => {
    const machine = path(`machine-${signal}`);
    const calibrated = await interrupted(
      ["calibrate", "--live", "--backend", "wasm", "--shape", "8x12", "-q", "-o", machine],
      signal,
    );
    expect([calibrated.sent, calibrated.code, calibrated.out]).toEqual([true, expected, ""]);
    expect(readdirSync(machine)).toEqual([]);
    const words = ["validate", "--live", "--trace", trace, "--backend", "wasm", "--shape", "8x12", "-q"];
    const validated = await interrupted([...words, "--steps", "100000"], signal);
    expect([validated.sent, validated.code, validated.out]).toEqual([true, expected, ""]);
  }, 60_000);
});

test("a second signal ends the process at once, and its temporary files are removed", async () => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => {
    throw new Error("exit");
  });
  const watch = watchInterrupts(quiet);
  process.emit("SIGTERM");
  expect(watch.signal.aborted).toBe(true);
  expect(exit).not.toHaveBeenCalled();
  expect(() => process.emit("SIGINT")).toThrow("exit");
  expect(exit).toHaveBeenCalledWith(130);
  expect(watch.code()).toBe(143);
  watch.stop();
});

test("an output that is being written takes its temporary file with it", async () => {
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const partial = () => readdirSync(folder).filter((name) => name.endsWith(".moecast-partial"));
  await writeOutput(path("output"), async () => {
    expect(partial()).toHaveLength(1);
    process.emit("SIGINT");
    expect(exit).toHaveBeenCalledWith(130);
    process.listeners("exit").at(-1)?.(0);
    expect(partial()).toEqual([]);
    throw new TypeError("the process would have ended");
  }).catch(() => {});
  expect(existsSync(path("output"))).toBe(false);
});

test("a computation in one stretch leaves signals to the system, a cooperative one is left at its next pause", async () => {
  const watch = watchInterrupts(quiet);
  expect(inOneStretch(() => process.listenerCount("SIGINT"))).toBe(0);
  expect(process.listenerCount("SIGINT")).toBe(1);
  function* endless() {
    for (;;) yield;
  }
  const ended = cooperatively(endless(), watch.signal).catch((error: unknown) => watch.ended(error));
  setTimeout(() => process.emit("SIGINT"), 20);
  expect(await ended).toBe(true);
  watch.stop();
});

test("synthesis pauses every few thousand rows, and the pauses change nothing", () => {
  const options = { experts: 16, topK: 2, layers: 3, popularity: { skew: 1 }, tokens: 20_000, seed: 3 };
  const steps = parametricSteps(options);
  let pauses = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) pauses += 1;
  expect(pauses).toBeGreaterThanOrEqual(1 + Math.floor((3 * 20_000) / (4096 + 512)));
  expect(step.value).toEqual(parametricRouting(options));
});
