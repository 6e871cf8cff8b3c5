import { sha256 } from "../../core/digest.ts";
import type { Chart } from "./charts/chart.ts";
import { element, type Markup } from "./markup.ts";
import { plainTable } from "./table.ts";

/** Rows below a chart; of more every second, third ... is listed, for all are in the results that the page holds. */
const rowsMax = 40;

/** A chart with its name, what it says, its legend, and its numbers folded away below. */
export function figure({ title, caption, drawing, width, height, legend, data }: Chart): Markup {
  // The same drawing has the same id wherever it stands.
  const id = `f${sha256(`${title}${drawing.markup}`).slice(0, 10)}`;
  return element(
    "figure",
    {},
    element("h4", { id }, title),
    element(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-labelledby": id, "aria-describedby": `${id}c` },
      drawing,
    ),
    legend === undefined
      ? null
      : element(
          "ul",
          { class: "legend" },
          legend.map(({ name, colour }) =>
            element("li", {}, element("span", { class: `key ${colour}`, "aria-hidden": "true" }), name),
          ),
        ),
    element("figcaption", { id: `${id}c` }, caption),
    data.rows.length === 0 ? null : numbersOf(title, data),
  );
}

function numbersOf(title: string, { columns, rows, ranked }: Chart["data"]): Markup {
  const each = ranked === true ? 1 : Math.ceil(rows.length / rowsMax);
  const listed = rows.filter((_, i) => i % each === 0).slice(0, rowsMax);
  const left = rows.length - listed.length;
  return element(
    "details",
    {},
    element("summary", {}, `Numbers of ${title}`),
    plainTable(`Numbers of ${title}`, columns, listed),
    left === 0 ? null : element("p", { class: "quiet" }, `${listed.length} of ${rows.length} rows.`),
  );
}
