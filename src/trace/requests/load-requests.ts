import { refuse } from "../../core/errors.ts";
import { RandomStream } from "../../core/random.ts";
import type { RequestTable } from "../request-table.ts";
import { csvRows } from "./csv-rows.ts";
import { type FileLayout, layoutOf } from "./file-layout.ts";
import { looksLikeJson } from "./head-record.ts";
import { JsonRows } from "./json-rows.ts";
import { checkLoadOptions, type LoadRequestsOptions } from "./load-options.ts";
import type { RequestFormatName } from "./request-formats.ts";
import { RowCollector } from "./row-collector.ts";
import { tableOf } from "./rows-to-table.ts";
import { TextSource } from "./text-source.ts";

const decompressedBytesMaxDefault = 2 * 1024 * 1024 * 1024;

/**
 * Reads a request trace (plain or gzip, streamed once) into a table ordered by arrival, time 0 being its first arrival.
 * Refuses with every wrong row's place (20 at most); what was left out, sorted, moved, scaled or assumed is in
 * `origin.notes`.
 */
export async function loadRequests(
  format: RequestFormatName | "auto",
  path: string,
  options: LoadRequestsOptions = {},
): Promise<RequestTable> {
  checkLoadOptions(options);
  const source = await TextSource.open(path, options.decompressedBytesMax ?? decompressedBytesMaxDefault);
  try {
    const layout = layoutOf(format, source.head, path, options);
    const rng = new RandomStream(options.seed ?? 0, "request-trace");
    const windowed = options.fromNs !== undefined || options.untilNs !== undefined;
    const rows = new RowCollector(path, {
      limit: windowed ? Number.POSITIVE_INFINITY : (options.limit ?? Number.POSITIVE_INFINITY),
      thin: options.thin === undefined ? null : { share: options.thin, rng: rng.fork("thin") },
      className: options.class ?? null,
    });
    await readRows(layout, source, rows);
    rows.settle();
    if (rows.count === 0) refuse({ file: path, expected: "at least one request with tokens" });
    return tableOf(rows, { layout, file: path, digest: source.digest(), options, jitter: rng.fork("jitter") });
  } finally {
    await source.close();
  }
}

async function readRows(layout: FileLayout, source: TextSource, rows: RowCollector): Promise<void> {
  if (layout.kind === "document") {
    const read = layout.start(rows);
    for await (const { lines, firstLine } of source.batches("document")) read(lines, firstLine);
    return;
  }
  const { rules, columns } = layout;
  if (!looksLikeJson(source.head)) {
    const read = csvRows(rows, rules, columns);
    for await (const { lines, firstLine } of source.batches("lines")) if (!rows.full) read(lines, firstLine);
    return;
  }
  const json = new JsonRows(rows, rules, columns);
  if (source.head.trimStart().startsWith("[")) {
    for await (const elements of source.elements())
      for (const { text, line } of elements) if (!rows.full) json.add(text, line);
  } else {
    for await (const { lines, firstLine } of source.batches("lines"))
      for (const [index, text] of lines.entries())
        if (!rows.full && text.trim() !== "") json.add(text, firstLine + index);
  }
  json.end();
}
