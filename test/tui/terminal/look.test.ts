import { describe, expect, test } from "vitest";
import { type LookEnvironment, lookFor } from "../../../src/tui/terminal/look.ts";

const utf8 = { LANG: "de_DE.UTF-8" };
const depthOf = (environment: LookEnvironment, allowed = true) => lookFor({ allowed, ascii: false }, environment).depth;
const isUnicode = (environment: LookEnvironment, ascii = false) =>
  lookFor({ allowed: true, ascii }, environment).glyphs.braille;

describe("colours", () => {
  test.each([
    [{}, "16"],
    [{ TERM: "xterm" }, "16"],
    [{ TERM: "xterm-256color" }, "256"],
    [{ TERM: "screen-256color", COLORTERM: "truecolor" }, "true"],
    [{ TERM: "xterm", COLORTERM: "24bit" }, "true"],
    [{ TERM: "xterm-256color", NO_COLOR: "1" }, "none"],
    [{ TERM: "xterm-256color", NO_COLOR: "" }, "256"],
    [{ TERM: "xterm-256color", COLORTERM: "truecolor", FORCE_COLOR: "0" }, "none"],
    [{ TERM: "xterm-256color", FORCE_COLOR: "false" }, "none"],
    [{ TERM: "xterm", FORCE_COLOR: "1" }, "16"],
    [{ TERM: "xterm", FORCE_COLOR: "2" }, "256"],
    [{ TERM: "xterm", FORCE_COLOR: "3" }, "true"],
    [{ TERM: "xterm", FORCE_COLOR: "2", NO_COLOR: "1" }, "256"],
    [{ TERM: "xterm-256color", FORCE_COLOR: "", NO_COLOR: "1" }, "none"],
    [{ TERM: "dumb", FORCE_COLOR: "3" }, "none"],
    [{ TERM: "dumb" }, "none"],
  ] as const)("of %o: %s", (environment, depth) => {
    expect(depthOf(environment)).toBe(depth);
  });

  test("there are none with --no-color, whatever the environment says", () => {
    for (const forced of ["", "1", "2", "3"])
      expect(depthOf({ FORCE_COLOR: forced, TERM: "xterm-256color" }, false)).toBe("none");
  });

  test("without them text is still bold and inverse, so that a selection is seen; a dumb terminal gets text alone", () => {
    const plain = lookFor({ allowed: true, ascii: false }, { TERM: "xterm", NO_COLOR: "1" });
    expect(plain.inverse("row")).toContain("\u001b[7m");
    expect(plain.bad("x")).toBe("x");
    const dumb = lookFor({ allowed: true, ascii: false }, { TERM: "dumb" });
    for (const mark of ["bold", "dim", "inverse", "good", "bad", "warn", "accent"] as const)
      expect(dumb[mark]("x")).toBe("x");
    expect(dumb.heat(0.5, "x")).toBe("x");
  });
});

describe("signs", () => {
  test.each([
    [utf8, true],
    [{ LANG: "C" }, false],
    [{}, false],
    [{ LC_ALL: "C", ...utf8 }, false],
    [{ LC_ALL: "", ...utf8 }, true],
    [{ LC_CTYPE: "en_GB.utf8", LANG: "C" }, true],
    [{ LC_CTYPE: "C", ...utf8 }, false],
    [{ LC_ALL: "C.UTF-8", LANG: "C" }, true],
  ] as const)("beyond ASCII with %o: %s", (environment, expected) => {
    expect(isUnicode(environment)).toBe(expected);
    expect(isUnicode(environment, true)).toBe(false);
  });
});
