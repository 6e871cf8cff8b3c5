import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
import { terminalPage } from "../../src/report/page-terminal.ts";
import { plainStyle } from "../../src/report/text-table.ts";
import { validationExporters } from "../../src/report/validation-exporters.ts";
import { kernelPage } from "../../src/report/validation-kernels.ts";
import { kernelsExample } from "./build-validation.ts";

const text = (width: number) => terminalPage(kernelPage(kernelsExample()), plainStyle, width);

describe("the report of a validation of kernels", () => {
  test("has a row for every family with what it stands on", () => {
    expect(text(120)).toMatch(/^ {2}toy +grouped gemm +150 +4\.0% +3\.0% +10\.0% +\+0\.2% +7\.0% +18\.0% +toy +3$/m);
    expect(text(120)).toMatch(/^ {2}toy +all reduce +50 +12\.0% +11\.0% +30\.0% +-4\.6% +n\/a +n\/a +none +0$/m);
    expect(text(120)).toContain("README.csv  no table of measured kernels");
  });

  test("keeps the errors when the terminal is narrow", () => {
    for (const width of [60, 80, 100]) {
      for (const line of text(width).split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      expect(text(width)).toMatch(/^ {2}toy +grouped gemm .*4\.0% +3\.0% +10\.0% +\+0\.2%/m);
    }
  });

  test("says n/a where nothing was compared", () => {
    const none = { rows: 0, mean: Number.NaN, median: Number.NaN, p90: Number.NaN, bias: Number.NaN };
    const page = kernelPage({ ...kernelsExample(), overall: none, families: [] });
    expect(page.headline).toEqual(["kernel time error n/a median, n/a mean, bias n/a over 0 kernels"]);
  });

  test("exports percentages by device and family", () => {
    const document = kernelsExample();
    const rows: Record<string, string>[] = parse(
      validationExporters.csv.render({ document, page: kernelPage(document) }),
      { columns: true },
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      family: "groupedGemm",
      mean_percent: "4",
      held_out_mean_percent: "7.000000000000001",
    });
    expect(rows[1]).toMatchObject({ held_out_mean_percent: "", maps_of: "" });
  });
});
