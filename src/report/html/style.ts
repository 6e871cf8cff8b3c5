import { columnsMax } from "./table.ts";

/** Colours by role; the seven of series are Okabe and Ito's (2008), darkened or lightened until they stand out from the ground. */
const light = `--ground:#fff;--panel:#f6f7f9;--text:#1a1d21;--quiet:#565d66;--rule:#d5d9de;--grid:#e6e9ed;
--good:#0b6b3a;--warn:#8a5300;--bad:#b3261e;--accent:#0b57a4;--band:#0b57a41f;
--s0:#0072b2;--s1:#c04f00;--s2:#007a5a;--s3:#a8467d;--s4:#8a6500;--s5:#2b7fab;--s6:#4a4a4a;
--q0:#eef2f7;--q1:#cfdff0;--q2:#a6c5e3;--q3:#6fa3d2;--q4:#3c7cb8;--q5:#e0933a;--q6:#b3261e`;
const dark = `--ground:#14171b;--panel:#1d2127;--text:#e8eaed;--quiet:#a9b1ba;--rule:#3a4149;--grid:#2a3037;
--good:#5fd08f;--warn:#f0b35a;--bad:#ff8a80;--accent:#7ab8f5;--band:#7ab8f52e;
--s0:#56b4e9;--s1:#ff9c57;--s2:#3ecf9f;--s3:#e39cc4;--s4:#e6c35c;--s5:#9fd3f2;--s6:#b9bfc6;
--q0:#1f252c;--q1:#24384d;--q2:#2b5177;--q3:#3670a6;--q4:#5b9bd5;--q5:#f0b35a;--q6:#ff8a80`;

/** A rule for each column that can be so. */
const columnRules = (selector: (column: number) => string): string =>
  Array.from({ length: columnsMax }, (_, i) => selector(i + 1)).join(",");

const rules = `
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:1240px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}
h2{font-size:20px;margin:40px 0 12px;padding-top:12px;border-top:1px solid var(--rule)}
h3{font-size:16px;margin:20px 0 8px}
h4{font-size:14px;margin:0 0 2px}
p{margin:0 0 8px;max-width:760px}
a{color:var(--accent)}
.quiet,figcaption,footer{color:var(--quiet);font-size:13.5px}
.verdict{font-size:18px;line-height:1.45;margin:16px 0;padding:12px 16px;border-left:6px solid var(--rule);background:var(--panel);max-width:none}
.verdict.good{border-color:var(--good)}.verdict.warn{border-color:var(--warn)}.verdict.bad{border-color:var(--bad)}
p.good,tr.good td:first-child{color:var(--good)}p.warn,tr.warn td:first-child{color:var(--warn)}p.bad,tr.bad td:first-child{color:var(--bad);font-weight:600}p.verdict{color:var(--text);max-width:none}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;margin:16px 0 0;padding:0;font-size:14px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(150px,100%),1fr));gap:12px;margin:16px 0;padding:0;list-style:none}
.cards li{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:10px 14px}
.cards .figure{font-size:22px;line-height:1.25;font-variant-numeric:tabular-nums;display:block}
.cards .label{color:var(--quiet);font-size:13px;display:block}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(320px,100%),1fr));gap:20px 24px;align-items:start}
.charts>div{min-width:0}figure{margin:0;max-width:560px;min-width:0}
figure svg{display:block;width:100%;height:auto}
figcaption{margin-top:4px}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--quiet)}
svg .name,svg .value{fill:var(--text)}
svg .grid{stroke:var(--grid);fill:none}svg .frame{stroke:var(--quiet);fill:none}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round}svg .dashed{stroke-dasharray:5 4}
svg .upright{stroke:var(--text);stroke-dasharray:3 3;fill:none}svg .limit .upright{stroke:var(--bad)}
svg .limit text{fill:var(--bad)}
svg .band rect{fill:var(--band)}
svg .heat{stroke-width:1;shape-rendering:crispEdges}
svg .track{fill:var(--grid)}
svg .frontier{fill:none;stroke:var(--quiet);stroke-width:1.5}
svg .point{fill:var(--ground);stroke:var(--text);stroke-width:2}
svg .mark{fill-opacity:.75}svg .mark.picked{stroke:var(--text);stroke-width:3}
${Array.from({ length: 7 }, (_, i) => `svg .line.s${i}{stroke:var(--s${i})}svg .fill.s${i},svg .mark.s${i},.key.s${i}{fill:var(--s${i});background:var(--s${i})}svg .q${i}{fill:var(--q${i})}svg .heat .q${i}{stroke:var(--q${i})}`).join("\n")}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;list-style:none;margin:4px 0 0;padding:0;font-size:13px}
.key{display:inline-block;width:14px;height:4px;vertical-align:middle;margin-right:6px}
.scroll{overflow-x:auto;margin:0 0 8px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--quiet);font-size:13.5px;padding:0 0 4px}
th,td{text-align:left;vertical-align:top;padding:3px 14px 3px 0;border-bottom:1px solid var(--grid);overflow-wrap:normal}
th{font-weight:600}
${columnRules((n) => `.r${n} :is(td,th):nth-child(${n})`)}{text-align:right}
${columnRules((n) => `.l${n} td:nth-child(${n})`)}{min-width:16ch;overflow-wrap:anywhere}
tr:target,tr.picked{background:var(--panel);outline:2px solid var(--accent)}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-decoration:underline dotted}
input[type=search]{font:inherit;padding:3px 8px;margin:0 0 8px;color:inherit;background:var(--ground);border:1px solid var(--quiet);border-radius:4px;width:min(320px,100%)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
details{margin:4px 0 8px}summary{cursor:pointer;color:var(--accent);font-size:13.5px}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:10px 14px;overflow-x:auto;font-size:13px;white-space:pre-wrap}
.skip{position:absolute;left:-999px}.skip:focus{position:static}
footer{padding:28px 20px 40px}
`;

const print = `@page{margin:14mm}
@media print{:root{${light}}
body{font-size:10pt}header,main,footer{max-width:none;padding:0}nav,.skip,input[type=search],figure details{display:none}
h2{break-after:avoid;margin-top:22px}h3,h4{break-after:avoid}figure,tr,.cards li,.verdict{break-inside:avoid}
.charts{grid-template-columns:1fr 1fr}.cards{grid-template-columns:repeat(4,1fr)}.cards .figure{font-size:15pt}
a{color:inherit;text-decoration:none}.scroll{overflow:visible}table{font-size:8.5pt}th,td{padding-right:8px;overflow-wrap:anywhere}pre{white-space:pre-wrap}
svg .track,svg .fill,svg .mark,svg [class^=q],.key,.verdict,.cards li{print-color-adjust:exact;-webkit-print-color-adjust:exact}}`;

/** Style of the page: light or dark as the reader has it, one column on a telephone, A4 or Letter on paper. */
export const reportStyle = `:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}${rules}${print}
`;
