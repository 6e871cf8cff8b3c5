import { basename } from "node:path";
import { engineIdOf } from "./device-name.ts";

/** Engine and version in a file name of the form `<system>__<engine>-<version>[__<table>].csv[.gz]`; null for others. */
export function engineOfFile(file: string): { readonly engine: string; readonly version: string } | null {
  const part = basename(file)
    .replace(/\.csv(\.gz)?$/, "")
    .split("__")[1];
  const [, name, version] = /^([a-z][a-z_]*)-(.+)$/i.exec(part ?? "") ?? [];
  return name === undefined || version === undefined ? null : { engine: engineIdOf(name), version };
}
