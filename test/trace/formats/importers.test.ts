import { dirname } from "node:path";
import { expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { importTrace } from "../../../src/trace/formats/import-trace.ts";
import { importAndOpen, temporaryFolder } from "../routing-files.ts";
import { openedIn } from "./opened.ts";

const folder = temporaryFolder();
const open = openedIn(folder);

test("a trace container is not mistaken for a recording", async () => {
  const csv = folder.write("again.csv", "layer_id,expert_id,count\n0,1,5\n");
  const { file } = await open([csv], { experts: 4 });
  await file.close();
  await expect(importAndOpen(folder.path("twice.safetensors"), [folder.path("imported.safetensors")])).rejects.toThrow(
    /a routing trace of moecast.*needs no import/,
  );
});

test("a folder is imported without the files in it that are something else", async () => {
  const mixed = temporaryFolder();
  const notes = mixed.write("SOURCE.md", "# notes\n");
  const recorded = mixed.write("counts.csv", "layer_id,expert_id,count\n0,0,3\n0,1,5\n");
  const output = folder.path("mixed.safetensors");
  const report = await importTrace("auto", [dirname(recorded)], output, { topK: 1 });
  expect(report.format).toBe("expert-distribution");
  expect(report.warnings.join()).toContain("SOURCE.md");
  await expect(importTrace("auto", [notes], output)).rejects.toThrow(/routing in one of the formats/);
});

test("an unknown file is refused with the formats that are known", async () => {
  await expect(open([folder.write("notes.txt", "hello\nworld\n")])).rejects.toThrow(/routed-experts/);
  await expect(open([folder.path("missing.npz")])).rejects.toThrow(InvalidInputError);
});
