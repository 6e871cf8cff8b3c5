import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { templateNames } from "../../../src/cli/init-command.ts";
import { scratch } from "../command.ts";
import { writesWhatPasses } from "./written-project.ts";

const { folder } = scratch();

test.each(templateNames)("the template %s writes files whose next command passes", async (template) => {
  const cwd = join(folder, template);
  mkdirSync(cwd);
  await writesWhatPasses(template, cwd);
});
