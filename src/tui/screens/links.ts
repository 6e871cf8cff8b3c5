import type { Palette } from "../../report/widgets/palette.ts";
import { tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { clip, type Size } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import { type Core, currentRun } from "../state/core.ts";
import { filterPrompt } from "../state/filter-prompt.ts";
import { isOpen } from "../state/run-record.ts";
import { linksOfRun } from "./link-rows.ts";
import { columnsOf, type LinksPlace, linksTableHeight, linksView, placeOf, shownLinks } from "./links-view.ts";
import { memoryHead, tierItems, tiersOf } from "./memory-view.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the links screen remembers. */
export interface LinksState extends LinksPlace {
  /** Whether memory fills the screen, and its first line that is seen. */
  readonly memory: boolean;
  readonly memoryFrom: number;
}

const start: LinksState = {
  name: null,
  from: 0,
  column: 1,
  descending: true,
  filter: "",
  idle: false,
  memory: false,
  memoryFrom: 0,
};

function missing(core: Core): string | null {
  const run = currentRun(core);
  if (run === null) return "No run yet: choose a scenario on Home (1) and press Enter.";
  if (linksOfRun(run) !== null) return null;
  return isOpen(run) ? "The run reads its inputs." : "The run failed: it has no links to show.";
}

function act(own: LinksState, action: string, core: Core, area: Size): Act<LinksState> {
  const run = currentRun(core);
  const links = run === null ? null : linksOfRun(run);
  if (run === null || links === null) return {};
  switch (action) {
    case "sort": {
      const columns = columnsOf(links);
      return { own: { ...own, column: columns[(columns.indexOf(own.column) + 1) % columns.length]!, from: 0 } };
    }
    case "reverse":
      return { own: { ...own, descending: !own.descending, from: 0 } };
    case "idle":
      return { own: { ...own, idle: !own.idle } };
    case "memory":
      return { own: { ...own, memory: !own.memory, memoryFrom: 0 } };
    case "filter":
      return { intents: [filterPrompt(own.filter)] };
    default:
  }
  if (own.memory) {
    const last = tiersOf(run).reduce((lines, { items }) => lines + items.length + 3, 0) - area.height + 1;
    return { own: { ...own, memoryFrom: Math.max(0, moved(own.memoryFrom, action, last + 1, area.height)) } };
  }
  const rows = shownLinks(own, links);
  const visible = visibleRows(rows.length, linksTableHeight(run, area));
  const at = Math.max(0, moved(placeOf(own, rows), action, rows.length, visible));
  return { own: { ...own, name: rows[at]?.name ?? null, from: tableFrom(at, own.from, rows.length, visible) } };
}

function view(own: LinksState, core: Core, area: Size, palette: Palette): readonly string[] {
  const run = currentRun(core)!;
  if (!own.memory) return clip(linksView(run, linksOfRun(run)!, own, area, palette), area);
  const lines = tierItems(tiersOf(run), area.width, palette).slice(own.memoryFrom);
  return clip([...memoryHead(run, area.width, palette), ...lines], area);
}

/** Tiers of memory, and everything that is busy or queued for. */
export const linksScreen = screen<LinksState>({
  id: "links",
  title: "Links",
  start,
  keys: [
    { action: "sort", keys: ["s"], help: "sort by the next" },
    { action: "reverse", keys: ["S"], help: "reverse" },
    { action: "filter", keys: ["/"], help: "filter" },
    { action: "idle", keys: ["i"], help: "idle ones" },
    { action: "memory", keys: ["m"], help: "memory in full" },
    ...moveKeys,
  ],
  words: [
    ["front end", "the part of a server that takes requests in before the scheduler sees them"],
    ["host link", "between the memory of the host and a device, such as PCIe"],
    [
      "queued",
      "time for which work stood in the queue of a link, of all work together: it may be more than the run took",
    ],
    ["!", "before a row: its work stood in the queue for longer than it was served"],
    ["chunks", "pieces of background copies: what a step needs goes before the next piece, and interrupts none"],
  ],
  exports: "details",
  missing,
  // Memory is left for the links.
  back: (own) => (own.memory ? { own: { ...own, memory: false } } : null),
  act,
  typed: (own, kind, text) => (kind === "filter" ? { own: { ...own, filter: text, from: 0 } } : {}),
  view,
} satisfies Screen<LinksState>);
