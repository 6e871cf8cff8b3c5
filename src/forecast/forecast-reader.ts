import { type Json, parseJson } from "../core/json.ts";
import { fromScenario } from "../scenario/file-path.ts";

/** How a forecast reads small files: model configurations and hardware profiles. Rejects for unreadable ones. */
export interface FileReader {
  readText(path: string): Promise<string>;
}

/** A JSON file that a scenario names, with the bytes its digest is made of. */
export async function readJson(
  reader: FileReader,
  scenarioFile: string,
  path: string,
  parse: (text: string, file: string) => Json = parseJson,
): Promise<{ readonly json: Json; readonly text: string; readonly file: string }> {
  const file = fromScenario(scenarioFile, path);
  const text = await reader.readText(file);
  return { json: parse(text, file), text, file };
}
