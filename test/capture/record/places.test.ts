import { expect, test } from "vitest";
import { refuseFullDisk } from "../../../src/capture/record/disk-space.ts";
import { modelName } from "../../../src/capture/record/model-name.ts";
import { InfeasibleError } from "../../../src/core/errors.ts";
import { temporaryFolder } from "../../trace/routing-files.ts";

const folder = temporaryFolder();

test("a model is named after its folder, or after its repository in a Hugging Face cache", () => {
  expect(modelName("models/OLMoE-1B-7B/")).toBe("OLMoE-1B-7B");
  expect(modelName("hub/models--allenai--OLMoE-1B-7B/snapshots/0a1b2c")).toBe("allenai/OLMoE-1B-7B");
});

test("a disk without the room for all that goes to it is refused with the sum, also for folders still to be made", async () => {
  const path = folder.path("new/work");
  const needs = [
    { what: "of work", path, bytes: 2 ** 59 },
    { what: "of trace", path: folder.path("t"), bytes: 2 ** 59 },
  ];
  await expect(refuseFullDisk(needs)).rejects.toThrow(InfeasibleError);
  await expect(refuseFullDisk(needs)).rejects.toThrow(
    /has .* free, and 512 PiB of work \+ 512 PiB of trace would be written/,
  );
  await refuseFullDisk([{ what: "of work", path, bytes: 1 }]);
});
