import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { OutputError } from "../../src/core/errors.ts";
import { outputIdentity, outputPlace } from "../../src/files/output-place.ts";
import { prepareOutput } from "../../src/files/prepare-output.ts";
import { appendOutput, writeOutput, writeOutputFile } from "../../src/files/write-output.ts";

const folder = mkdtempSync(join(tmpdir(), "moecast-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);
const leftovers = () => readdirSync(folder).filter((name) => name.includes("partial"));
const write = (to: string, text: string) => writeOutput(to, (output) => output.append(text));
const posix = process.platform !== "win32";

describe("a regular file", () => {
  test("is replaced whole, with its mode, and nothing is left beside it", async () => {
    const file = path("file");
    writeFileSync(file, "a longer text that was there before");
    chmodSync(file, 0o640);
    await writeOutput(file, async (output) => {
      expect(readFileSync(file, "utf8")).toBe("a longer text that was there before");
      await output.append("one ");
      await output.append(Buffer.from("two"));
    });
    expect(readFileSync(file, "utf8")).toBe("one two");
    if (posix) expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(leftovers()).toEqual([]);
  });

  test("is written in any order", async () => {
    await writeOutputFile(path("ordered"), async (output) => {
      await output.resize(6);
      await output.writeAt(Buffer.from("def"), 3);
      await output.writeAt(Buffer.from("abc"), 0);
    });
    expect(readFileSync(path("ordered"), "utf8")).toBe("abcdef");
  });

  test("stays as it was when what fills it fails, and the failure is passed on", async () => {
    const file = path("kept");
    writeFileSync(file, "kept");
    const broken = writeOutput(file, async (output) => {
      await output.append("half");
      throw new TypeError("ours");
    });
    await expect(broken).rejects.toThrow(TypeError);
    expect(readFileSync(file, "utf8")).toBe("kept");
    expect(leftovers()).toEqual([]);
  });

  test("written by many at once is that of one of them, the last to end", async () => {
    const file = path("raced");
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(200_000));
    const ended: string[] = [];
    await Promise.all(texts.map((text) => write(file, text).then(() => ended.push(text))));
    expect(texts).toContain(readFileSync(file, "utf8"));
    await write(file, "last");
    expect(readFileSync(file, "utf8")).toBe("last");
    expect(leftovers()).toEqual([]);
  });

  test("a name that others left is not written to, were it a link", async () => {
    const victim = path("victim");
    writeFileSync(victim, "victim");
    symlinkSync(victim, path("linked.partial"));
    await write(path("linked"), "new");
    expect(readFileSync(victim, "utf8")).toBe("victim");
    rmSync(path("linked.partial"));
  });

  test("with a name as long as names may be is written", async () => {
    const long = path("x".repeat(255));
    await write(long, "text");
    expect(readFileSync(long, "utf8")).toBe("text");
    await expect(write(path("x".repeat(256)), "text")).rejects.toThrow(/^cannot write .*: its name is too long$/);
  });

  test("is added to, and is as before where that fails", async () => {
    await appendOutput(path("log"), "one\n");
    await appendOutput(path("log"), "two\n");
    expect(readFileSync(path("log"), "utf8")).toBe("one\ntwo\n");
  });
});

describe.runIf(posix)("a symbolic link", () => {
  test("keeps leading to what is replaced, relative or over another link", async () => {
    mkdirSync(path("deep"));
    writeFileSync(path("deep/target"), "old");
    symlinkSync("target", path("deep/middle"));
    symlinkSync(relative(folder, path("deep/middle")), path("link"));
    await write(path("link"), "new");
    expect(readFileSync(path("deep/target"), "utf8")).toBe("new");
    expect(lstatSync(path("link")).isSymbolicLink()).toBe(true);
    expect(readlinkSync(path("deep/middle"))).toBe("target");
  });

  test("that leads to nothing makes its target", async () => {
    symlinkSync("to-come", path("dangling"));
    await write(path("dangling"), "there");
    expect(readFileSync(path("to-come"), "utf8")).toBe("there");
    expect(lstatSync(path("dangling")).isSymbolicLink()).toBe(true);
  });

  test("in a circle is refused", async () => {
    symlinkSync("round", path("about"));
    symlinkSync("about", path("round"));
    await expect(write(path("round"), "x")).rejects.toThrow(/symbolic links lead in a circle/);
  });
});

describe.runIf(posix)("what is no regular file", () => {
  test("a device is written to in place, a full one fails with its cause, and both stay devices", async () => {
    await write("/dev/null", "gone");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    symlinkSync("/dev/null", path("null"));
    await write(path("null"), "gone");
    expect(lstatSync(path("null")).isSymbolicLink()).toBe(true);
    await expect(write("/dev/full", "x")).rejects.toThrow(
      new OutputError("/dev/full", "no space is left on the device"),
    );
    await expect(appendOutput("/dev/full", "x")).rejects.toThrow(OutputError);
    await expect(writeOutputFile("/dev/null", async () => {})).rejects.toThrow(
      /cannot write \/dev\/null: expected a regular file/,
    );
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  test("a named pipe hands its reader everything", async () => {
    const pipe = path("pipe");
    execFileSync("mkfifo", [pipe]);
    const text = "0123456789".repeat(50_000);
    const [, read] = await Promise.all([write(pipe, text), readFile(pipe, "utf8")]);
    expect(read).toBe(text);
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  test("stdout is this process's, by any of its names", async () => {
    for (const name of ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
      expect(await outputPlace(name)).toEqual({ kind: "standard", stream: "stdout" });
  });

  test("a folder is refused, existing or named by a slash", async () => {
    await expect(write(folder, "x")).rejects.toThrow(/expected a file, found a folder/);
    await expect(write(path("new/"), "x")).rejects.toThrow(/expected a file, found the name of a folder/);
  });
});

describe("before long work", () => {
  test("a folder that is missing is refused, and made only when told", async () => {
    const inside = path("made/below/file");
    await expect(prepareOutput(inside)).rejects.toThrow(
      `cannot write ${inside}: there is no folder ${path("made/below")} (--mkdir makes it)`,
    );
    expect(existsSync(path("made"))).toBe(false);
    await prepareOutput(inside, { mkdir: true });
    expect(statSync(path("made/below")).isDirectory()).toBe(true);
    writeFileSync(path("plain"), "");
    await expect(prepareOutput(path("plain/file"), { mkdir: true })).rejects.toThrow(OutputError);
  });

  test.runIf(existsSync("/proc/self"))("a folder below /proc is refused at once", async () => {
    await expect(prepareOutput("/proc/none/file", { mkdir: true })).rejects.toThrow(/^cannot write \/proc\/none\/file/);
  });

  test.runIf(posix)("one output under two names has one identity", async () => {
    writeFileSync(path("same"), "");
    symlinkSync("same", path("same-link"));
    execFileSync("ln", [path("same"), path("same-hard")]);
    const identities = ["same", "./same", "same-link", "same-hard", "../same"].map((name, i) =>
      outputIdentity(i === 4 ? join(folder, "x", name) : join(folder, name)),
    );
    expect(new Set(await Promise.all(identities)).size).toBe(1);
    expect(await outputIdentity(path("other"))).toBe(await outputIdentity(`${folder}/./other`));
    expect(await outputIdentity(path("other"))).not.toBe(await outputIdentity(path("others")));
  });
});
