/**
 * What the page does by itself: tables are sorted by a column and filtered by a word, a point picks its row, and parts
 * that are folded away are printed. Without it everything can be read as well.
 */
export const reportScript = `"use strict";
for (const table of document.querySelectorAll("table[data-sort]")) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const valueOf = (row, column) => {
    const { textContent: text, dataset } = row.cells[column];
    return dataset.value === undefined ? text : Number(dataset.value);
  };
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const down = header.getAttribute("aria-sort") === "ascending";
      for (const other of headers) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].map((row, at) => [valueOf(row, column), at, row]);
      const order = ([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1) || i - j;
      body.append(...rows.sort(order).map(([, , row]) => row));
    });
  });
  if (body.rows.length < 9) continue;
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "filter rows";
  input.setAttribute("aria-label", "filter rows of " + table.dataset.sort);
  input.addEventListener("input", () => {
    const word = input.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(word);
  });
  table.parentElement.before(input);
}
const pick = (id) => {
  for (const picked of document.querySelectorAll(".picked")) picked.classList.remove("picked");
  document.getElementById(id)?.classList.add("picked");
  for (const mark of document.querySelectorAll('a[href="#' + CSS.escape(id) + '"] .mark')) mark.classList.add("picked");
};
for (const link of document.querySelectorAll("svg a[href^='#']"))
  link.addEventListener("click", () => pick(link.getAttribute("href").slice(1)));
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")].filter((part) => part.closest("figure") === null);
  for (const part of opened) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of opened) part.open = false;
});
`;
