import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type TemplateName, templates } from "../../../src/cli/init/templates.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { moecast } from "../in-process.ts";

/** Words of the command that an output names next. */
export const nextOf = (out: string): string[] => (/^next {2}(?:npx )?moecast (.*)$/m.exec(out)?.[1] ?? "").split(" ");

/** A template with its defaults writes what it says into a folder, and the command that it names next passes. */
export async function writesWhatPasses(template: TemplateName, cwd: string): Promise<void> {
  const { code, out, err } = await moecast(["init", "--template", template, "--rate", "0.5", "--yes", "--quiet"], {
    cwd,
  });
  expect([code, err]).toEqual([0, ""]);
  const written = [...out.matchAll(/^written {2}(.*)$/gm)].map(([, path = ""]) => path);
  for (const path of written) expect(existsSync(join(cwd, path)), path).toBe(true);
  const [scenario = ""] = written;
  const text = readFileSync(join(cwd, scenario), "utf8");
  expect(text).toMatch(/^# yaml-language-server: \$schema=\S+scenario\.schema\.json\n|moecast\.schema\.json\n/);
  expect(text).toContain(templates[template].question.split(" ").slice(0, 8).join(" "));
  parseScenario(text, scenario);
  const few = ["--no-advice", "--no-thresholds", "--quiet", "--set", "traffic.requests=40"];
  const next = await moecast([...nextOf(out), ...few], { cwd });
  expect([next.code, next.err]).toEqual([0, ""]);
  expect(next.out).toMatch(/output tok\/s per device/);
}
