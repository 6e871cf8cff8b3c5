import { describe, expect, test } from "vitest";
import { clearLine, messageText, styleFor, terminalText } from "../../src/cli/terminal-output.ts";
import { plainStyle } from "../../src/report/text-table.ts";

const coloured = styleFor(true, true, {});

describe("what a terminal is given", () => {
  test("our own marks, and none from outside but those that look the same", () => {
    const text = `${coloured.bold("name")} \u001b[2J\u001b]0;x\u0007 ${coloured.bad("FAIL")}`;
    const shown = terminalText(text, coloured);
    expect(shown).toContain(coloured.bold("name"));
    expect(shown).toContain(coloured.bad("FAIL"));
    for (const mark of ["\u001b[2J", "\u001b]", "\u0007"]) expect(shown).not.toContain(mark);
  });

  test("no mark at all without colours, and none in messages but the one that empties its line", () => {
    expect(terminalText("\u001b[1mx\u202e", plainStyle)).toBe("\ufffd[1mx\ufffd");
    expect(messageText(`${clearLine}half\r\u001b[K`)).toBe(`${clearLine}half\ufffd\ufffd[K`);
  });
});

describe("colour", () => {
  test.each([
    ["a terminal has it", true, true, {}, true],
    ["a pipe has none", true, false, {}, false],
    ["--no-color decides", false, true, { FORCE_COLOR: "1" }, false],
    ["FORCE_COLOR asks for it in a pipe", true, false, { FORCE_COLOR: "1" }, true],
    ["FORCE_COLOR goes before NO_COLOR", true, true, { FORCE_COLOR: "1", NO_COLOR: "1" }, true],
    ["FORCE_COLOR=0 refuses it", true, true, { FORCE_COLOR: "0" }, false],
    ["an empty FORCE_COLOR says nothing", true, true, { FORCE_COLOR: "" }, true],
    ["NO_COLOR refuses it", true, true, { NO_COLOR: "1" }, false],
    ["an empty NO_COLOR says nothing", true, true, { NO_COLOR: "" }, true],
    ["a dumb terminal has none", true, true, { TERM: "dumb" }, false],
  ])("%s", (_case, allowed, terminal, environment, wanted) => {
    expect(styleFor(allowed, terminal, environment) !== plainStyle).toBe(wanted);
  });
});
