import type { JobBase } from "../../plan/job/job.ts";
import { rewriteScenario } from "../../scenario/rewrite-scenario.ts";
import { writeNew } from "./write-new.ts";

/** Writes a scenario with its settings in it, to a new file. Throws InvalidInputError and OutputError where that cannot be. */
export async function writeScenario(path: string, request: JobBase, name: string): Promise<void> {
  const { file, text, settings, params } = request;
  const written = rewriteScenario(text, file, {
    settings,
    params,
    target: path,
    name,
    description: `${file} with ${settings.length === 0 ? "nothing changed" : settings.join(" ")}`,
    without: ["plan", "sweep"],
    comment: [`From ${file}${settings.map((setting) => ` --set ${setting}`).join("")}`],
  });
  await writeNew(path, written);
}
