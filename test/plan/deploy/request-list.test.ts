import { expect, test } from "vitest";
import { requestLines } from "../../../src/plan/deploy/bench/request-list.ts";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { jsonLines, traceFiles } from "../../trace/requests/trace-files.ts";

const file = traceFiles();

test("blocks are shared where they are full; a last one that is cut, and one that nobody named, are of the request alone", async () => {
  const rows = [
    { timestamp: 0, input_length: 1024, output_length: 5, hash_ids: [1, 2] },
    { timestamp: 10, input_length: 700, output_length: 6, hash_ids: [1, 2] },
    { timestamp: 20.5, input_length: 1300, output_length: 7, hash_ids: [1, 2, 3] },
    { timestamp: 30, input_length: 1200, output_length: 8, hash_ids: [1] },
  ];
  const requests = await loadRequests("mooncake", file(jsonLines(rows)), { timeUnit: "ms", blockTokens: 512 });
  const written = requestLines({ kind: "open", requests })
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as (typeof rows)[number]);
  expect(written.map(({ hash_ids: _ids, ...row }) => row)).toEqual(rows.map(({ hash_ids: _ids, ...row }) => row));
  const ids = written.map(({ hash_ids }) => hash_ids);
  expect(ids.map(({ length }) => length)).toEqual([2, 2, 3, 3]);
  const [one, two] = ids[0]!;
  expect(ids.map(([first]) => first)).toEqual([one, one, one, one]);
  expect(ids[2]![1]).toBe(two);
  const alone = [ids[1]![1], ids[2]![2], ids[3]![1], ids[3]![2]];
  expect(new Set([one, two, ...alone]).size).toBe(6);
});
