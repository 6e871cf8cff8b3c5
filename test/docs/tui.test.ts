import { describe, expect, test } from "vitest";
import { screenFrames, withScreens } from "../../scripts/capture-screens.ts";
import { blocksOf, readPage } from "../../scripts/doc-blocks.ts";
import { displayWidth } from "../../src/report/display-width.ts";
import { readKeyMap } from "../../src/tui/keys/key-file.ts";
import { screens } from "../../src/tui/screens/screens.ts";

const page = readPage(process.cwd(), "docs/tui.md");

describe("docs/tui.md", () => {
  test("shows the screens and keys as they are", async () => {
    expect(withScreens(page, await screenFrames()) === page, "run npm run generate").toBe(true);
  });

  test("has a section for every screen, with frames of both sizes", () => {
    for (const { id, title } of screens) {
      expect(page).toContain(`\n## ${title}\n`);
      for (const size of ["80x24", "120x40"]) expect(page).toContain(`<!-- screen ${id} ${size} -->`);
    }
  });

  test("has an example of a key file that is taken", () => {
    const example = blocksOf(page).find(({ label }) => label === "keys.json")!;
    expect(readKeyMap(example.lines.join("\n"), "keys.json", screens).size).toBe(3);
  });

  test("shows no colours, and nothing wider than its terminal", () => {
    expect(page).not.toContain("\u001b");
    for (const [, width, height, block = ""] of page.matchAll(
      /<!-- screen \S+ (\d+)x(\d+) -->\n\n```text\n([\s\S]*?)\n```/g,
    )) {
      const lines = block.split("\n");
      expect(lines.length).toBeLessThanOrEqual(Number(height) - 1);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(Number(width));
    }
  });
});
