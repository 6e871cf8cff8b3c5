import type { JobBase } from "../../plan/job/job.ts";

/** A word as a shell takes it. */
const word = (text: string): string => (/^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command line that does the same without the screens. */
export function commandLine({ file, settings, params }: JobBase): string {
  return [
    "moecast run",
    word(file),
    ...settings.map((setting) => `--set ${word(setting)}`),
    ...Object.entries(params).map(([name, value]) => `--param ${word(`${name}=${value}`)}`),
  ].join(" ");
}

/** The same, which also writes a file in a format of `--export`. */
export const writingCommand = (request: JobBase, format: string, path: string): string =>
  `${commandLine(request)} --export ${word(`${format}=${path}`)}`;
