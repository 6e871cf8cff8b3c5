import { test } from "vitest";
import { bundledScenarios, deployedFile } from "./bundled.ts";
import { checkDeployment } from "./check-deployment.ts";
import { shell } from "./started.ts";

const sh = shell();

test.each(bundledScenarios)("%s: every file of its deployment is one that its reader takes", async (file) => {
  await checkDeployment(await deployedFile(file), sh);
});
