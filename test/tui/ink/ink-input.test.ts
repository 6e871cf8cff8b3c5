import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { InkInput } from "../../../src/tui/ink/ink-input.ts";

/** Keys that come from a terminal, and what Ink is given; `/` asks for text, as it is heard. */
function terminal() {
  const state = { typing: false };
  const given: string[] = [];
  const stdin = new PassThrough();
  const input = new InkInput(stdin as unknown as NodeJS.ReadStream, () => state.typing);
  input.on("data", (part: string) => {
    given.push(String(part));
    if (part === "/") state.typing = true;
    if (part === "\r") state.typing = false;
  });
  return { given, stdin };
}

test("what a key changes is known before the next one is read, however they come", async () => {
  for (const chunks of [["jj/small\rqq"], ["j", "j", "/", "small", "\r", "q", "q"], ["jj/", "small\rq", "q"]]) {
    const { given, stdin } = terminal();
    for (const chunk of chunks) stdin.write(chunk);
    await sleep(50);
    expect(given.slice(0, 3)).toEqual(["j", "j", "/"]);
    expect(given.slice(3, -3).join("")).toBe("small");
    expect(given.slice(-3)).toEqual(["\r", "q", "q"]);
  }
});

test("Backspace and Delete are told apart", async () => {
  const { given, stdin } = terminal();
  stdin.write("\u007f\u001b[3~/\u007f");
  await sleep(50);
  expect(given).toEqual(["\b", "\u001b[3~", "/", "\b"]);
});

test("of many keys at once none is lost and none changes its place", async () => {
  const { given, stdin } = terminal();
  const words = Array.from({ length: 200 }, (_, i) => `/word ${i}\r`);
  for (const word of words) for (const one of word) stdin.write(one);
  await sleep(300);
  expect(given.join("")).toBe(words.join(""));
});
