import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { runScenario } from "../../../src/forecast/forecast-scenario.ts";
import { forecastsReport } from "../../../src/report/html/forecasts-report.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { forecast, overloaded, verdict } from "../build.ts";
import { pictured } from "./pictured.ts";

/** Where Debian puts it; without it these tests say so and are skipped. */
const program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const folder = mkdtempSync(join(tmpdir(), "moecast-report-"));

async function bundled(): Promise<Forecast> {
  const file = "scenarios/quickstart.yaml";
  const settings = ["traffic.requests=60"];
  const scenario = parseScenario(readFileSync(file, "utf8"), file, { settings });
  const deps = { readText: (path: string) => Promise.resolve(readFileSync(path, "utf8")), picture: true };
  return (await runScenario(scenario, deps)).forecast;
}

const widthOf = async (page: Page): Promise<number> =>
  Number(await page.evaluate("document.documentElement.scrollWidth"));

/** Results of two deployments and more, so that tables have enough rows to be filtered. */
const several = (): Forecast[] =>
  Array.from({ length: 10 }, (_, i) =>
    forecast({
      scenario: { name: `run ${i}`, description: "", file: "s.yaml" },
      throughput: { ...forecast().throughput, outputTokensPerSecondPerDevice: 100 + ((i * 37) % 100) },
      picture: pictured(),
    }),
  );

describe.skipIf(program === undefined)("in a browser", () => {
  let browser: Browser;
  const pages: Record<string, string> = {};

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: program!,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    });
    const documents = {
      run: forecastsReport([await bundled()]),
      several: forecastsReport(several()),
      overloaded: forecastsReport([overloaded()]),
      hostile: forecastsReport([
        forecast({
          picture: pictured(),
          scenario: { name: "<script>document.title='x'</script>", description: "\u202e".repeat(9), file: "a b'.yaml" },
          slos: [verdict({ metric: `ttft{class:${"w".repeat(3000)}}` })],
          resources: [{ name: "<img src=http://127.0.0.1:9/x>", busyNs: 1e9, bytes: 5, utilisation: 0.5 }],
        }),
      ]),
    };
    for (const [name, page] of Object.entries(documents)) {
      const file = join(folder, `${name}.html`);
      writeFileSync(file, page);
      pages[name] = pathToFileURL(file).href;
    }
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page at a width, with what it complained of and asked for. */
  async function opened(
    name: string,
    options: Parameters<Browser["newPage"]>[0] = {},
  ): Promise<{ page: Page; heard: string[] }> {
    const page = await browser.newPage(options);
    const heard: string[] = [];
    page.on("console", (message) => heard.push(message.text()));
    page.on("pageerror", (error) => heard.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== pages[name]) heard.push(request.url());
    });
    await page.goto(pages[name]!);
    return { page, heard };
  }

  test.each(["run", "several", "overloaded", "hostile"])(
    "%s: nothing is asked for, nothing complains",
    async (name) => {
      const { page, heard } = await opened(name);
      for (const button of await page.locator("th button").all()) await button.click();
      expect(heard).toEqual([]);
      expect(await page.title()).not.toBe("x");
      await page.close();
    },
  );

  test.each(
    ["run", "several", "overloaded", "hostile"].flatMap((name) => [360, 1600].map((width) => [name, width] as const)),
  )("%s at %i px is not wider than the window", async (name, width) => {
    const { page } = await opened(name, { viewport: { width, height: 800 } });
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
    await page.close();
  });

  test.each(
    ["run", "several", "overloaded"].flatMap((name) =>
      (["light", "dark"] as const).map((scheme) => [name, scheme] as const),
    ),
  )(
    "%s, %s: contrast, names of controls, order of headings and all else that axe checks",
    async (name, colorScheme) => {
      const { page } = await opened(name, { colorScheme, bypassCSP: true });
      await page.evaluate('for (const part of document.querySelectorAll("details")) part.open = true');
      await page.evaluate(axe.source);
      const violations = await page.evaluate(async () => {
        const { axe: checker } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        return (await checker.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      });
      expect(violations).toEqual([]);
      await page.close();
    },
  );

  test("tables are sorted by their numbers, filtered, and a point leads to its row", async () => {
    const { page } = await opened("several");
    const column = () => page.locator("table[data-sort] tbody tr:visible td:nth-child(5)").allInnerTexts();
    const before = (await column()).map(Number);
    await page.getByRole("button", { name: "per device" }).click();
    expect((await column()).map(Number)).toEqual([...before].sort((a, b) => a - b));
    await page.getByRole("button", { name: "per device" }).click();
    expect((await column()).map(Number)).toEqual([...before].sort((a, b) => b - a));
    await page.getByRole("searchbox").fill("run 3");
    expect(await column()).toHaveLength(1);
    await page.getByRole("searchbox").fill("");
    await page.locator("svg a").nth(2).click();
    expect(await page.locator("tr.picked td").first().textContent()).toBe("run 2");
    await page.close();
  });

  test("is printed on A4 and on Letter, in light colours, with nothing beyond the edge", async () => {
    const { page } = await opened("run", { colorScheme: "dark" });
    for (const [format, points] of [
      ["A4", [595, 842]],
      ["Letter", [612, 792]],
    ] as const) {
      const pdf = (await page.pdf({ format })).toString("latin1");
      const boxes = [...pdf.matchAll(/\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)/g)].map(([, width, height]) => [
        Math.floor(Number(width)),
        Math.floor(Number(height)),
      ]);
      expect(boxes.length).toBeGreaterThan(2);
      expect(boxes.length).toBeLessThan(16);
      for (const box of boxes) expect(box).toEqual(points);
    }
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 688, height: 1000 });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await widthOf(page)).toBeLessThanOrEqual(688);
    await page.close();
  });

  test("is read in order: what is copied begins with the verdict and has the figures beside their names", async () => {
    const { page } = await opened("run");
    const text = String(await page.evaluate("document.body.innerText"));
    // Behind the contents.
    const at = (word: string): number => text.indexOf(word, text.indexOf("Definitions"));
    const order = ["Headline figures", "TTFT p50", "Where step time goes", "Fidelity ledger", "moecast run"].map(at);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(text).toMatch(/TTFT p50\n+[\d.]+ m?s/);
    await page.close();
  });
});
